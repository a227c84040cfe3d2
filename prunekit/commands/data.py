"""`prunekit data`: the data sets, what of them is there, and the download of a full one."""

import contextlib
import signal
import sys

from prunekit.core.amounts import size, whole
from prunekit.core.data_cards import DATA_CARDS
from prunekit.core.data_folder import data_folder, full_set_bytes, full_set_folder
from prunekit.core.errors import PrunekitError, UnknownName
from prunekit.core.language import N_, _
from prunekit.experiments.downloads import DONE, DOWNLOADING, FAILED, UNPACKING, tell_download

HELP = N_("List the data sets, or download a full one.")
STEPS = 20  # lines of progress


def arguments(parser) -> None:
    parser.add_argument("--download", metavar="NAME", help=_("get the full set of this name, with torchvision"))


def run(options) -> dict:
    """Prints a few lines a set; returns them all by id."""
    downloaded = options.download and _download(options.download)
    rows = [_row(name) for name in DATA_CARDS]
    if not options.json:
        for row in rows:
            _print(row)
    answer = {"folder": str(data_folder()), "data": rows}
    return answer | {"downloaded": downloaded} if options.download else answer


def _download(name: str) -> bool:
    """Downloads with progress on stderr, and in the home folder for the app to show; False when it was there."""
    if name not in DATA_CARDS:
        raise UnknownName.of(_("data set"), name, DATA_CARDS)
    from prunekit.data.download import download  # here: a list needs no torch

    steps = _Steps(name)
    try:
        with _ending_tidily():
            fetched = download(name, steps)
    except (PrunekitError, OSError) as error:
        steps.failed(str(error))
        raise
    tell_download(name, DONE, DATA_CARDS[name].download, DATA_CARDS[name].download)
    title = DATA_CARDS[name].title
    sentence = _("The full {title} is in {folder} now.") if fetched else _("The full {title} is in {folder} already.")
    steps.say(sentence.format(title=title, folder=full_set_folder(name)))
    return fetched


@contextlib.contextmanager
def _ending_tidily():
    """The Stop of the app (SIGTERM) ends the command as Ctrl-C does, so that what is half done is cleared away."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class _Steps:
    """Tells of progress: each time to the home folder, a few times to people."""

    def __init__(self, name: str):
        self.name = name
        self.title = DATA_CARDS[name].title
        self.stream = sys.stderr  # torchvision's own progress bar is silenced by pointing sys.stderr elsewhere
        self.step = -1

    def __call__(self, done: int, total: int) -> None:
        tell_download(self.name, UNPACKING if done >= total else DOWNLOADING, done, total)
        step = done * STEPS // total
        if step > self.step:
            self.step = step
            if done >= total:
                self.say(_("{title}: unpacking and checking").format(title=self.title))
            else:
                words = _("{title}: {done} of {total}")
                self.say(words.format(title=self.title, done=size(done), total=size(total)))

    def failed(self, sentence: str) -> None:
        tell_download(self.name, FAILED, sentence=sentence)

    def say(self, sentence: str) -> None:
        print(sentence, file=self.stream, flush=True)


def _row(name: str) -> dict:
    card = DATA_CARDS[name]
    folder = full_set_folder(name)
    return {
        "id": card.id,
        "title": card.title,
        "about": _(card.about),
        "source": card.source,
        "licence": _(card.licence),
        "cite": card.cite,
        "shipped": card.shipped,
        "full": card.full,
        "shipped_whole": not card.download,
        "full_is_there": folder is not None or not card.download,
        "full_folder": str(folder) if folder else None,
        "full_bytes": full_set_bytes(name),
        "download_bytes": card.download,
    }


def _print(row: dict) -> None:
    def parts(counts: dict) -> str:
        words = _("{train} training, {validation} validation, {test} test examples")
        return words.format(**{part: whole(count) for part, count in counts.items()})

    print(f"{row['id']}: {row['about']} {row['licence']}, {row['source']}")
    if row["shipped_whole"]:
        print(_("  shipped whole: {parts}").format(parts=parts(row["shipped"])))
        return
    print(_("  shipped: {parts}").format(parts=parts(row["shipped"])))
    if row["full_is_there"]:
        where = _("in {folder}, {size}").format(folder=row["full_folder"], size=size(row["full_bytes"]))
    else:
        where = _("not there; --download {name} gets it ({size})").format(
            name=row["id"], size=size(row["download_bytes"])
        )
    print(_("  full: {parts}; {where}").format(parts=parts(row["full"]), where=where))
