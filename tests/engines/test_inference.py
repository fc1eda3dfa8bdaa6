"""What is answered of a drawing: from the newest checkpoint that is whole, or in words why not."""

import base64
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from real_worker import spec_of

from engines import datasets
from engines.inference import Inference
from engines.inquiry import Answer, Question
from engines.runs import RunStore


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits", None, lambda *_: None)


def question_of(image):
    return Question(base64.b64encode(image.tobytes()).decode())


def checkpoints(directory):
    return sorted((directory / "checkpoints").glob("last-*.json"))


def test_most_test_images_are_told_by_the_newest_checkpoint(finished_run, digits):
    inference = Inference(finished_run)
    answers = [inference.answer(question_of(image)) for image in digits.test_images[:50]]
    right = sum(int(np.argmax(a.probabilities)) == label for a, label in zip(answers, digits.test_labels, strict=False))
    assert right >= 30
    assert (answers[0].epoch, answers[0].step) == (3, 45)
    assert all(sum(answer.probabilities) == pytest.approx(1) for answer in answers)
    seen = np.frombuffer(base64.b64decode(answers[0].seen), np.uint8)
    assert seen.size == 784
    assert seen.any()


def test_a_newer_checkpoint_is_taken_up_and_a_damaged_one_passed_over(finished_run, digits):
    question, newest = question_of(digits.test_images[0]), checkpoints(finished_run)[-1]
    aside = shutil.move(newest, finished_run / "aside.json")
    best = finished_run / "checkpoints" / newest.name.replace("last", "best")
    best.unlink(missing_ok=True)
    inference = Inference(finished_run)
    assert inference.answer(question).epoch == 2
    shutil.move(aside, newest)
    assert inference.answer(question).epoch == 3
    weights = newest.with_suffix(".safetensors")
    weights.write_bytes(weights.read_bytes()[:-1] + b"!")
    assert Inference(finished_run).answer(question).epoch == 2


def test_without_a_checkpoint_it_says_that_there_is_none_yet(tmp_path, digits):
    directory = RunStore(tmp_path / "runs").create(spec_of())
    assert "no checkpoint yet" in Inference(directory).answer(question_of(digits.test_images[0])).problem


@pytest.mark.parametrize("image", ["no base64", "", base64.b64encode(b"short").decode()])
def test_what_is_no_image_is_said_to_be_none(finished_run, image):
    assert "no image" in Inference(finished_run).answer(Question(image)).problem


def test_a_folder_without_a_spec_has_no_answer(tmp_path, digits):
    assert Inference(tmp_path).answer(question_of(digits.test_images[0])).problem


def test_a_model_that_is_not_known_is_said_to_be_so(finished_run, digits):
    for path in [finished_run / "spec.json", *checkpoints(finished_run)]:
        path.write_text(path.read_text().replace('"rehearsal"', '"torch"').replace('"nn"', '"airliner"'))
    problem = Inference(finished_run).answer(question_of(digits.test_images[0])).problem
    assert problem


def test_the_process_answers_line_by_line_and_ends_with_its_questions(finished_run, digits):
    lines = [json.dumps({"image": question_of(image).image}) for image in digits.test_images[:3]]
    command = [sys.executable, "-P", "-m", "engines.inference", str(finished_run)]
    done = subprocess.run(command, input="\n".join(lines) + "\n", capture_output=True, text=True, check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == 3
    assert all(set(answer) == {*Answer.__struct_fields__} for answer in answers)
