"""How the epochs of a run are shared out over its rounds."""


def epochs_of_round(epochs: int, rounds: int, round: int) -> int:
    """How many of `epochs` the round `round` (0 is the first) trains: an equal share, and the last rounds the rest.

    The last rounds get it because the network has lost most by then: 5 epochs in 3 rounds are 1, 2 and 2.
    """
    share, rest = divmod(epochs, rounds)
    return share + (round >= rounds - rest)
