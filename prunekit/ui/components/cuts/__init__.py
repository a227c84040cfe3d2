"""The picture on the Explore page: histograms of all layers and the cut under the hand."""

from prunekit.ui.components.cuts.cuts import cuts_picture, cuts_reply, picture_data

__all__ = ["cuts_picture", "cuts_reply", "picture_data"]
