"""Runs a fragment, or the page, once more after a while: only for as long as it is drawn."""

import streamlit as st

# A fragment's own run_every ticks for ever; this one lives exactly as long as something is awaited.
_component = st.components.v2.component(
    "prunekit.again",
    # Streamlit calls the function again for new data without ending what the last call began, hence one timer for each
    # element. Two ticks of different fragments in one moment are sent as one, and one of them is lost: they are spread
    # a little, and a tick that brought nothing is repeated.
    js="""
    const timers = new WeakMap();
    export default function ({ parentElement, data, setTriggerValue }) {
      const stop = () => clearTimeout(timers.get(parentElement));
      const wait = (ms) => {
        stop();
        timers.set(parentElement, setTimeout(() => {
          if (!(parentElement.host ?? parentElement).isConnected) return;
          setTriggerValue("tick", data.turn);
          wait(1500);
        }, ms * (1 + 0.3 * Math.random())));
      };
      if (data.seconds) wait(data.seconds * 1000); else stop();
      return stop;
    }
    """,
)


def look_again(seconds: float, key: str) -> None:
    """The surrounding fragment (or the page, outside of any) runs again in `seconds`; with 0 it does not."""
    turns = st.session_state.setdefault("turns", {})
    turns[key] = turns.get(key, 0) + bool(seconds)  # new data is what starts the clock again
    _component(key=key, data={"seconds": seconds, "turn": turns[key]}, height=1, on_tick_change=lambda: None)
