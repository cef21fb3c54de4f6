"""Keypoints from one skeleton to another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pose3d_cli.pose.skeleton import Skeleton, conversion
from pose3d_cli.pose.types import Keypoints2D


def convert(keypoints: Keypoints2D, target: Skeleton) -> Keypoints2D:
    """Return `keypoints` on another skeleton.

    A derived joint is as sure as its least sure part, and unseen (NaN) if a part is unseen.

    Raises:
        ValueError: No rule says where some target joint comes from.
    """
    if keypoints.skeleton.name == target.name:
        return keypoints
    matrix = conversion(keypoints.skeleton, target).astype(np.float32)
    used = matrix[None, :, :] != 0
    score = np.where(used, keypoints.score[:, None, :], np.inf).min(-1).astype(np.float32)
    # NaN times zero is NaN: blank what a row does not use before the product.
    xy = matrix @ np.nan_to_num(keypoints.xy)
    unseen = (used & np.isnan(keypoints.xy).any(-1)[:, None, :]).any(-1)
    xy[unseen] = np.nan
    return replace(keypoints, xy=xy.astype(np.float32), score=score, skeleton=target)
