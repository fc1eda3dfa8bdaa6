import getpass

import pytest

from tui.logout import ends_at_logout


def write(root, name, text):
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def test_a_machine_without_logind_ends_nothing(tmp_path):
    assert not ends_at_logout(tmp_path)


@pytest.mark.parametrize(
    ("setting", "ends"),
    [
        ("KillUserProcesses=yes", True),
        (" KillUserProcesses = TRUE", True),
        ("#KillUserProcesses=yes", False),
        ("", False),
    ],
)
def test_the_setting_is_read(tmp_path, setting, ends):
    write(tmp_path, "etc/systemd/logind.conf", f"[Login]\n{setting}\n")

    assert ends_at_logout(tmp_path) is ends


def test_a_drop_in_overrules_the_file_and_a_later_one_an_earlier(tmp_path):
    write(tmp_path, "etc/systemd/logind.conf", "[Login]\nKillUserProcesses=no\n")
    write(tmp_path, "usr/lib/systemd/logind.conf.d/20-kill.conf", "[Login]\nKillUserProcesses=yes\n")
    assert ends_at_logout(tmp_path)

    write(tmp_path, "etc/systemd/logind.conf.d/30-keep.conf", "[Login]\nKillUserProcesses=no\n")
    assert not ends_at_logout(tmp_path)


def test_a_user_who_lingers_keeps_processes(tmp_path):
    write(tmp_path, "etc/systemd/logind.conf", "[Login]\nKillUserProcesses=yes\n")
    write(tmp_path, f"var/lib/systemd/linger/{getpass.getuser()}", "")

    assert not ends_at_logout(tmp_path)
