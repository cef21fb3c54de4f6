"""Skin, hair and clothes of chance colours; clothes make a body a little thicker."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Bool

from pose3d_cli.learn.rendered.body import Body, Landmarks, Vertices
from pose3d_cli.learn.rendered.picture import mesh_of
from pose3d_cli.learn.rendered.segments import SEGMENTS, SIDES

Mask = Bool[np.ndarray, " vertices"]

_SKIN = ((140, 95, 70), (195, 150, 120), (225, 180, 150), (85, 55, 40))
_SMOOTHINGS = 4


def dressed(body: Body, marks: Landmarks, random: np.random.Generator) -> Body:
    """Return the body with skin, hair and clothes of chance colours."""
    wardrobe = Wardrobe(body, marks, random)
    return replace(body, vertices=wardrobe.surface(), colour=wardrobe.colours())


class Wardrobe:
    """Chooses what one body wears."""

    def __init__(self, body: Body, marks: Landmarks, random: np.random.Generator) -> None:
        self._body, self._marks, self._random = body, marks, random
        most = np.array(SEGMENTS)[body.weights.argmax(1)]
        self._short_sleeves, self._shorts = random.random(2) < (0.5, 0.3)
        self.trousers = self._legs(most)
        self.shirt = self._trunk(most) & ~self.trousers
        self.shoes = np.isin(most, [f"{side}_foot" for side in SIDES])
        self.hair = (most == "head") & self._hairy()

    def _legs(self, most: np.ndarray) -> Mask:
        limbs = ("thigh",) if self._shorts else ("thigh", "shin")
        waist = self._body.joints["pelvis"][2] + 0.07
        seat = (most == "pelvis") & (self._body.vertices[:, 2] < waist)
        legs: Mask = np.isin(most, [f"{side}_{limb}" for side in SIDES for limb in limbs]) | seat
        return legs

    def _trunk(self, most: np.ndarray) -> Mask:
        limbs = ("clavicle", "upper_arm", *(() if self._short_sleeves else ("forearm",)))
        names = ["pelvis", "chest", *(f"{side}_{limb}" for side in SIDES for limb in limbs)]
        return np.isin(most, names) & ~self._hands(most)

    def _hands(self, most: np.ndarray) -> Mask:
        hands = np.zeros(len(most), bool)
        for side in SIDES:
            wrist, elbow = (self._body.joints[f"{side}_{j}"] for j in ("wrist", "elbow"))
            beyond = (self._body.vertices - wrist) @ (wrist - elbow) > 0
            hands |= beyond & (most == f"{side}_forearm")
        return hands

    def _hairy(self) -> Mask:
        above = self._body.vertices - self._marks.eyes
        return (above[:, 2] > 0.06) | ((above[:, 1] > 0.09) & (above[:, 2] > -0.06))

    def colours(self) -> Vertices:
        """Return the RGB of each vertex."""
        random, vertices = self._random, self._body.vertices
        skin = np.array(_SKIN[random.integers(len(_SKIN))]) * random.uniform(0.85, 1.1)
        colour = np.tile(skin, (len(vertices), 1))
        colour[self.shirt] = random.uniform(20, 235, 3)
        if random.random() < 0.4:
            stripe = np.sin(vertices[:, 2] * random.uniform(40, 140)) > 0
            colour[self.shirt & stripe] = random.uniform(20, 235, 3)
        colour[self.trousers] = random.uniform(15, 200, 3) * random.uniform(0.3, 1.0)
        colour[self.shoes] = random.uniform(10, 230, 3)
        colour[self.hair] = random.uniform(5, 90, 3)
        self._paint_face(colour)
        return colour

    def _paint_face(self, colour: Vertices) -> None:
        marks, vertices = self._marks, self._body.vertices
        colour[marks.eyeballs] = 235.0
        for side in (-1, 1):
            ball = marks.eyeballs[vertices[marks.eyeballs, 0] * side > 0]
            front = vertices[ball, 1] < vertices[ball, 1].min(initial=np.inf) + 0.006
            colour[ball[front]] = 20.0
        colour[marks.lips] *= (0.97, 0.8, 0.82)
        above = vertices[marks.brows] - marks.eyes
        colour[marks.brows[(above[:, 2] > 0.012) & (above[:, 1] < 0.01)]] *= 0.5

    def surface(self) -> Vertices:
        """Return the vertices, moved outwards where there are clothes or hair."""
        body = self._body
        thickness = np.zeros(len(body.vertices))
        for mask, most in ((self.shirt, 0.02), (self.trousers, 0.015), (self.hair, 0.03)):
            thickness[mask] = self._random.uniform(0.0, most)
        thickness[self.shoes] = 0.008
        mesh = mesh_of(body.vertices, body.faces)
        either = np.concatenate([mesh.edges_unique, mesh.edges_unique[:, ::-1]])
        for _ in range(_SMOOTHINGS):  # so that hems are no cliffs
            total, count = thickness.copy(), np.ones(len(thickness))
            np.add.at(total, either[:, 0], thickness[either[:, 1]])
            np.add.at(count, either[:, 0], 1.0)
            thickness = total / count
        clothed: Vertices = body.vertices + mesh.vertex_normals * thickness[:, None]
        return clothed
