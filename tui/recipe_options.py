"""The options that set one part of a run's recipe apart from it; left out, each is as the recipe says."""

from math import inf
from typing import get_args

import click

from engines.spec import Optimizer, Schedule
from tui.option_values import fraction, number, one_of, positive_number, whole_number

_OPTIMIZERS, _SCHEDULES = get_args(Optimizer), get_args(Schedule)

RECIPE_OPTIONS = (
    click.option(
        "--optimizer",
        type=one_of(_OPTIMIZERS),
        metavar="|".join(_OPTIMIZERS),
        help="What takes the steps; sgd has Nesterov's momentum of 0.9.",
    ),
    click.option(
        "--schedule",
        type=one_of(_SCHEDULES),
        metavar="|".join(_SCHEDULES),
        help="How the rate goes over the run, by epochs or by its budget.",
    ),
    click.option("--warmup", type=fraction, metavar="0..1", help="Part of the run in which the rate rises."),
    click.option("--weight-decay", type=number(0, inf), metavar="RATE", help="Of convolutions and dense layers."),
    click.option("--bias-rate", type=positive_number, metavar="X", help="How much faster batch norms' biases learn."),
    click.option("--label-smoothing", type=number(0, 1), metavar="0..1", help="Shared out among all classes."),
    click.option(
        "--weight-average",
        type=number(0, 1),
        metavar="0..1",
        help="Decay a step of a moving average of the weights, which is what is evaluated; 0 for none.",
    ),
    click.option("--flip/--no-flip", default=None, help="Mirror each image left to right in every other epoch."),
    click.option("--shift", type=whole_number(0, 27), metavar="PIXELS", help="Shift each image by up to so much."),
    click.option("--erase", type=whole_number(0, 28), metavar="PIXELS", help="Blank a square of this side."),
    click.option("--rotate", type=number(0, 180), metavar="DEGREES", help="Turn each image by up to so much."),
    click.option("--scale", type=number(0, 1), metavar="0..1", help="Stretch or shrink each way by up to this part."),
    click.option("--shear", type=number(0, 1), metavar="0..1", help="Slant each image by up to so much of its height."),
    click.option(
        "--test-flips/--no-test-flips", default=None, help="Evaluate an image together with its mirror image."
    ),
)
