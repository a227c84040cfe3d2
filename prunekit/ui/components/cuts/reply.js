// Hands the server's numbers for a cut to the picture beside it. It is a component of its own because a component is
// sent whole: this one weighs a kilobyte or two, so the picture's hundred stay where they are while a line is dragged.

export default function ({ data }) {
  const replies = (globalThis.prunekitReplies ??= { latest: new Map(), heard: new EventTarget() });
  if (replies.latest.size > 8) replies.latest.clear();
  replies.latest.set(data.board, data);
  replies.heard.dispatchEvent(new CustomEvent("reply", { detail: data }));
}
