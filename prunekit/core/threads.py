"""How the threads of a computation wait for each other; to be settled before torch is imported."""

import os

# Rounds that GNU OpenMP's threads spin at a barrier before they sleep. By default they spin longer than a turn of the
# scheduler: with two threads on two cores and one other busy program, a ResNet-20 was trained at 20 images a second
# where one thread did 363. With this it was 217; alone on the machine 571 where it was 633.
PATIENCE = {"GOMP_SPINCOUNT": "5000"}


def share_cores() -> None:
    """Makes the threads of this process, and of those it starts, leave a busy machine to others."""
    for name, value in PATIENCE.items():
        os.environ.setdefault(name, value)
