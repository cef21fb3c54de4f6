"""Drawing a mesh into a picture by rays, and backgrounds to draw it on."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from jaxtyping import Float64, Int64, UInt8

from pose3d_cli.errors import MissingExtraError
from pose3d_cli.pose.camera import Camera

Image = UInt8[np.ndarray, "height width 3"]

NEEDS_EXTRA = "rendering people needs optional packages: pip install 'pose3d[rendered]'"

_SMALL_PX = 60_000
"""Below this area of the person, four rays a pixel."""
_NEAREST_M = 0.05


def mesh_of(
    vertices: Float64[np.ndarray, "vertices 3"], faces: Int64[np.ndarray, "faces 3"]
) -> Any:
    """Return a mesh of the library that knows normals and where rays meet it.

    Raises:
        MissingExtraError: The packages are not installed.
    """
    try:
        import embreex  # noqa: F401 - without it rays take minutes
        import trimesh
    except ImportError as error:
        raise MissingExtraError(NEEDS_EXTRA) from error
    return trimesh.Trimesh(vertices, faces, process=False)


def draw_mesh(
    image: Image,
    vertices: Float64[np.ndarray, "vertices 3"],
    faces: Int64[np.ndarray, "faces 3"],
    colour: Float64[np.ndarray, "vertices 3"],
    camera: Camera,
    light: Float64[np.ndarray, 4],
) -> None:
    """Draw a mesh over `image`.

    Args:
        image: RGB; changed in place.
        vertices: Metres, axes of the camera (x right, y down, z forward).
        faces: Three vertices each.
        colour: RGB of each vertex, 0 to 255.
        camera: Without distortion.
        light: Direction it comes from, and the share of it that comes from everywhere.
    """
    place = camera.matrix @ vertices.T
    pixels = (place[:2] / place[2].clip(min=_NEAREST_M)).T
    size = np.array(image.shape[1::-1])
    low = np.clip(pixels.min(0) - 1, 0, size).astype(int)
    high = np.clip(pixels.max(0) + 2, 0, size).astype(int)
    finer = 2 if np.prod(high - low) < _SMALL_PX else 1
    across, down = (
        low[axis] + (np.arange((high - low)[axis] * finer) + 0.5) / finer for axis in (0, 1)
    )
    grid = np.stack([*np.meshgrid(across, down), np.ones((len(down), len(across)))], -1)
    rays = grid.reshape(-1, 3) @ np.linalg.inv(camera.matrix).T
    seen = _shaded(rays, vertices, faces, colour, light)
    blocks = seen.reshape(len(down) // finer, finer, len(across) // finer, finer, 4).mean((1, 3))
    region = image[low[1] : high[1], low[0] : high[0]]
    mixed = region * (1 - blocks[..., 3:]) + blocks[..., :3]
    image[low[1] : high[1], low[0] : high[0]] = mixed.clip(0, 255).astype(np.uint8)


def _shaded(
    rays: Float64[np.ndarray, "rays 3"],
    vertices: Float64[np.ndarray, "vertices 3"],
    faces: Int64[np.ndarray, "faces 3"],
    colour: Float64[np.ndarray, "vertices 3"],
    light: Float64[np.ndarray, 4],
) -> Float64[np.ndarray, "rays 4"]:
    """Return the colour that each ray from the camera meets, and 1; zeros where it meets none."""
    from trimesh.triangles import points_to_barycentric

    mesh = mesh_of(vertices, faces)
    face, hit, place = mesh.ray.intersects_id(
        np.zeros_like(rays), rays, multiple_hits=False, return_locations=True
    )
    corners = vertices[faces[face]]
    share = points_to_barycentric(corners, place)[..., None]  # type: ignore[no-untyped-call]
    normal = (mesh.vertex_normals[faces[face]] * share).sum(1)
    towards_us = 0.15 * (-normal[:, 2:]).clip(min=0)
    lit = light[3] + (1 - light[3]) * (normal @ light[:3, None]).clip(min=0) + towards_us
    seen = np.zeros((len(rays), 4))
    seen[hit, :3] = (colour[faces[face]] * share).sum(1) * lit
    seen[hit, 3] = 1.0
    return seen


def background(size_px: tuple[int, int], random: np.random.Generator) -> Image:
    """Return a picture without people: colours that flow, with boxes, lines, blur and grain."""
    width, height = size_px
    coarse = random.uniform(0, 255, (*random.integers(2, 7, 2), 3)).astype(np.float32)
    image = cv2.resize(coarse, size_px, interpolation=cv2.INTER_CUBIC)
    for _ in range(random.integers(5, 40)):
        start = random.uniform(0, 1, 2) * size_px
        end = start + random.normal(size=2) * (width / 5, height / 4)
        first, last = (tuple(map(int, point)) for point in (start, end))
        colour = random.uniform(0, 255, 3).tolist()
        if random.random() < 0.6:
            cv2.rectangle(image, first, last, colour, -1)
        else:
            cv2.line(image, first, last, colour, int(random.integers(1, 8)))
    image = cv2.GaussianBlur(image, (0, 0), random.uniform(0.8, 4))
    image = (image - image.mean()) * random.uniform(0.3, 0.9) + image.mean()
    grain = random.normal(size=(height // 3, width // 3)).astype(np.float32)
    image += cv2.resize(grain, size_px)[..., None] * random.uniform(1, 10)
    return image.clip(0, 255).astype(np.uint8)
