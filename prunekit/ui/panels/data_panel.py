"""The data of the chosen model: which parts are there, whose they are, and the download of the full set."""

import time

import streamlit as st

from prunekit.core.amounts import size, whole
from prunekit.core.cards import ModelCard
from prunekit.core.data_cards import DATA_CARDS, DataCard
from prunekit.core.data_folder import full_set_folder, has_full_set
from prunekit.core.errors import PrunekitError
from prunekit.core.language import _
from prunekit.experiments.downloads import (
    FAILED,
    STARTING,
    STOPPED,
    UNPACKING,
    Download,
    look_at_download,
    start_download,
    stop_download,
)
from prunekit.ui.components.again import look_again
from prunekit.ui.plain import as_typed

LOOK_SECONDS = 1.0
NEWS_SECONDS = 600  # what went wrong this long ago is no news any more


@st.fragment
def data_panel(model: ModelCard) -> None:
    """Draws one line on the data and the Data button; looks again by itself while the full set is on its way."""
    if model.data not in DATA_CARDS:
        return
    data = DATA_CARDS[model.data]
    full, going = has_full_set(data.id), look_at_download(data.id)
    active = going is not None and going.is_active
    if _has_arrived(data, full, active):
        st.rerun(scope="app")  # the header and the numbers of the page are about other data now
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="data"):
        with st.popover(_("Data"), icon=":material/database:"):
            _about(data, full, active, going)
        st.markdown(_line(data, full))
    if active:
        _progress(data, going)
    elif st.session_state.get("data_arrived") == data.id and full:
        _welcome(data)
    elif data.download and (problem := _problem(data, full, going)):
        st.warning(problem, icon=":material/warning:")
    look_again(LOOK_SECONDS if active else 0, key="again_data")


def _line(data: DataCard, full: bool) -> str:
    if not data.download:
        used = _("**{title}**, shipped whole: {parts}")
    elif full:
        used = _("**{title}**, the full set: {parts}")
    else:
        used = _("**{title}**, the shipped part: {parts}")
    return used.format(title=data.title, parts=_parts(data.full if full else data.shipped))


def _parts(counts: dict[str, int]) -> str:
    words = _("{train} training, {validation} validation and {test} test examples.")
    return words.format(**{part: whole(count) for part, count in counts.items()})


def _about(data: DataCard, full: bool, active: bool, going: Download | None) -> None:
    st.markdown(_("**{title}**: {about}").format(title=data.title, about=_(data.about)))
    counts = {_("shipped"): data.shipped, _("full"): data.full} if data.download else {_("shipped"): data.full}
    st.dataframe(
        {
            _("Part"): [_("training"), _("validation"), _("test")],
            **{name: [whole(part[k]) for k in ("train", "validation", "test")] for name, part in counts.items()},
        },
        hide_index=True,
    )
    st.caption(_("Licence: {licence}. Source: {source}").format(licence=_(data.licence), source=data.source))
    st.caption(_("Cite: {paper}").format(paper=data.cite))
    if not data.download:
        st.markdown(_("The whole set comes with prunekit; there is nothing to download."))
    elif full:
        st.markdown(_("The full set is in `{folder}` and is used.").format(folder=full_set_folder(data.id)))
    else:
        st.markdown(_gain(data))
        again = going is not None and going.state in (FAILED, STOPPED)
        label = _("Download again ({size})") if again else _("Download the full set ({size})")
        st.button(
            _("Downloading …") if active else label.format(size=size(data.download)),
            key="download_data",
            icon=":material/download:",
            disabled=active,
            on_click=_start,
            args=(data.id,),
        )


def _gain(data: DataCard) -> str:
    """What the full set is good for, and its price."""
    times = round(data.full["train"] / data.shipped["train"])
    words = [_("The full set has {n} times the training examples, so a run takes about {n} times as long.")]
    if data.full["test"] > data.shipped["test"]:
        words.append(_("Accuracy is measured on {full} test examples instead of {shipped}."))
    counts = {"full": whole(data.full["test"]), "shipped": whole(data.shipped["test"])}
    return " ".join(words).format(n=times, **counts)


def _start(name: str) -> None:
    st.session_state.pop("data_problem", None)
    try:
        start_download(name)
    except PrunekitError as error:
        st.session_state["data_problem"] = (name, str(error))


def _stop(name: str) -> None:
    try:
        stop_download(name)
    except PrunekitError as error:
        st.session_state["data_problem"] = (name, str(error))


def _progress(data: DataCard, going: Download) -> None:
    if going.state == STARTING:
        text = _("{title}: asking the server …").format(title=data.title)
    elif going.state == UNPACKING:
        text = _("{title}: unpacking and checking …").format(title=data.title)
    else:
        text = _("{title}: {done} of {total}; it goes on when you leave this page.").format(
            title=data.title, done=size(going.bytes), total=size(going.total)
        )
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="data_progress"):
        st.progress(min(going.bytes / (going.total or data.download), 1.0), text=text)
        st.button(_("Stop"), key="stop_data", on_click=_stop, args=(data.id,))


def _has_arrived(data: DataCard, full: bool, active: bool) -> bool:
    """Whether a set that this visitor has seen coming is there now; true once."""
    if active and not full:
        st.session_state["data_awaited"] = data.id
        return False
    awaited = st.session_state.get("data_awaited") == data.id
    if awaited:
        st.session_state.pop("data_awaited")
    if awaited and full:
        st.session_state["data_arrived"] = data.id
    return awaited and full


def _welcome(data: DataCard) -> None:
    st.success(
        _(
            "The full {title} is here and is used from now on. Runs of before keep their accuracy on the shipped part; "
            "the same recipe run again is a new run, on the full set."
        ).format(title=data.title),
        icon=":material/check_circle:",
    )


def _problem(data: DataCard, full: bool, going: Download | None) -> str:
    """Why the full set did not come, while that is news."""
    name, sentence = st.session_state.get("data_problem", ("", ""))
    if name == data.id:
        return as_typed(sentence)
    if full or going is None or going.state != FAILED or time.time() - going.when > NEWS_SECONDS:
        return ""
    return " ".join([as_typed(going.sentence), _("Until then the shipped part is used.")])
