import pytest

from engines.label import LONGEST_NAME, MOST_TAGS, Label, read_label, split_tags, write_label
from engines.problems import StorageProblem, UsageProblem


def test_a_label_is_written_and_read(tmp_path):
    assert read_label(tmp_path) == Label()
    label = Label().renamed("  the good one ").tagged(["#sweep", "wide"])
    write_label(tmp_path, label)
    assert read_label(tmp_path) == Label(name="the good one", tags=("sweep", "wide"))


def test_a_tag_is_there_once_and_can_be_taken_away():
    label = Label().tagged(["a", "b"]).tagged(["#a", "c"])
    assert label.tags == ("a", "b", "c")
    assert label.untagged(["#b", "never there"]).tags == ("a", "c")


@pytest.mark.parametrize("tag", ["", "#", "two words", "a,b", "x" * 31, "#" + "x" * 31, "##x", "\x1b]0;t\x07"])
def test_what_is_no_tag_is_refused(tag):
    with pytest.raises(UsageProblem):
        Label().tagged([tag])


def test_tags_have_an_end():
    most = Label().tagged(f"t{at}" for at in range(MOST_TAGS))
    assert len(most.tags) == MOST_TAGS
    with pytest.raises(UsageProblem):
        most.tagged(["more"])


@pytest.mark.parametrize("tag", ["x" * 30, "#" + "x" * 30])
def test_the_longest_tag_is_kept_whole(tag):
    assert Label().tagged([tag]).tags == ("x" * 30,)


def test_more_tags_than_a_run_may_have_are_not_read(tmp_path):
    write_label(tmp_path, Label(name="n" * 99, tags=tuple(f"t{at}" for at in range(99))))
    assert read_label(tmp_path) == Label(name="n" * 60, tags=tuple(f"t{at}" for at in range(MOST_TAGS)))


def test_a_label_that_cannot_be_written_is_a_problem_in_words(tmp_path):
    with pytest.raises(StorageProblem, match="cannot label gone: No such file"):
        write_label(tmp_path / "gone", Label(name="n"))


def test_tags_are_split_at_spaces_and_commas():
    assert split_tags(" a, #b  c,") == ["a", "#b", "c"]


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"name": 3}', '{"tags": "x"}'])
def test_a_damaged_label_is_none(tmp_path, text):
    (tmp_path / "label.json").write_text(text)
    assert read_label(tmp_path) == Label()


def test_what_somebody_wrote_is_safe_to_show(tmp_path):
    (tmp_path / "label.json").write_text(
        '{"name": "\\u001b[31mred\\u202e", "tags": ["a\\nb", "", "\\u001b]0;x\\u0007"]}'
    )
    label = read_label(tmp_path)
    assert label == Label(name="red\ufffd", tags=("a b",))
    (tmp_path / "label.json").write_text('{"name": "' + "n" * 1000 + '"}')
    assert len(read_label(tmp_path).name) == LONGEST_NAME


def test_a_link_in_the_place_of_a_label_is_not_followed(tmp_path):
    other = tmp_path / "other.json"
    other.write_text('{"name": "elsewhere"}')
    (tmp_path / "label.json").symlink_to(other)
    assert read_label(tmp_path) == Label()
    write_label(tmp_path, Label(name="mine"))
    assert read_label(tmp_path).name == "mine"
    assert "elsewhere" in other.read_text()
