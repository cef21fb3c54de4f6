"""The report of an evaluation: whole in itself, true to its numbers, left is left."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import cv2
import matplotlib as mpl
import numpy as np
import pytest

from pose3d_cli.errors import OutputError
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.render.evaluation_canvas import THEMED, as_hex
from pose3d_cli.render.evaluation_content import tidy, within_mm
from pose3d_cli.render.evaluation_page import (
    PICTURE_WIDTH_PX,
    Page,
    write_page,
    write_picture,
)
from pose3d_cli.render.evaluation_tables import best_of
from pose3d_cli.render.palette import PAPER, SIDES
from tests.disk import no_file_longer_than
from tests.reports import FULL, LEAST, ODD, column, example


class Reader(HTMLParser):
    """Takes a page apart as a browser would."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words, self.open = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(" ".join(data.split()))

    def named(self, attribute):
        return [attrs[attribute] for _, attrs in self.tags if attribute in attrs]


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_page(path, FULL)
    assert [file.name for file in path.parent.iterdir()] == ["report.html"]
    return path.read_text("utf-8")


@pytest.fixture(scope="module")
def least(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "least.html"
    write_page(path, LEAST)
    return path.read_text("utf-8")


def test_a_page_fetches_nothing_and_runs_nothing(html):
    read = Reader(html)
    assert not read.open
    kinds = {tag for tag, _ in read.tags}
    assert not kinds & {"script", "img", "iframe", "object", "embed", "image", "base", "form"}
    assert "svg" in kinds
    links = read.named("href") + read.named("xlink:href") + read.named("src")
    assert links
    assert all(link.startswith("#") or link == "data:," for link in links)
    assert set(re.findall(r"url\(\s*['\"]?(.)", html)) <= {"#"}
    assert "http" not in html.replace("http-equiv", "")
    assert "default-src 'none'" in html
    assert not [name for _, attrs in read.tags for name in attrs if name.startswith("on")]


def test_parts_of_figures_have_names_of_their_own(html):
    read = Reader(html)
    names = read.named("id")
    assert len(names) == len(set(names)) > 20
    used = {link[1:] for link in read.named("xlink:href")} | set(
        re.findall(r"url\(#([^)]+)\)", html)
    )
    assert len(used) > 10
    assert used <= set(names)


def test_what_users_write_stands_there_as_they_wrote_it(html):
    words = Reader(html).words
    assert FULL.title in words
    assert words.count(ODD) > 3
    shown = f"Mean error of each joint of {ODD}, on a skeleton"
    assert shown in Reader(html).named("aria-label")
    for part in (*FULL.words, *FULL.pitfalls, *FULL.notes, *FULL.facts, *FULL.facts.values()):
        assert part in words


def test_every_number_is_in_a_table(html):
    words = set(Reader(html).words)
    wanted = [cell for row in FULL.comparisons for cell in row]
    for one in FULL.columns:
        wanted += [one.label, *one.figures, *one.figures.values()]
        wanted += [f"{mm:.1f}" for mm in [*one.joint_mm.values(), *one.group_mm.values()]]
        wanted += [f"{within_mm(one.frame_mm, share):.1f}" for share in (0.5, 0.9, 1.0)]
        wanted += [text for e in one.examples for text in (e.title, f"{e.error_mm:.1f}")]
    assert len(wanted) > 100
    assert not [text for text in wanted if text not in words]
    assert {joint.replace("_", " ") for joint in H36M17.joints} <= words


def test_the_headline_comes_first_and_the_small_print_last(html):
    order = ["<table", "Warnings", "Differences", "Error of each joint", "Actions and", "Answers"]
    order += ["How it was measured", "Beware", "How to get this again"]
    places = [html.index(part, html.index("<body>")) for part in order]
    assert places == sorted(places)


def test_the_best_of_each_row_is_marked_in_words_too(html):
    marked = re.findall(r"<strong>(.*?)</strong> <span class=\"best\">best</span>", html)
    assert marked == ["40.0 (44.0 to 46.2) mm", "95.0 %"]


@pytest.mark.parametrize(
    ("figures", "better", "best"),
    [
        (("45.1 mm", "9.9 mm", "50"), "lower", {1}),
        (("45.1 mm", "9.9 mm", "50"), "higher", {2}),
        (("45.1 (a)", "45.1 (b)", "46.0"), "lower", {0, 1}),
        (("45.1", "45.1"), "lower", set()),
        (("45.1",), "lower", set()),
        (("45.1", "46.2"), None, set()),
        (("45.1", "not measured", "46.0", "-"), "lower", {0}),
        (("-3.5", "2.0"), "lower", {0}),
    ],
)
def test_best_is_what_looks_best(figures, better, best):
    assert best_of(figures, better) == best


def test_a_page_is_small_enough_to_send(html):
    assert len(html.encode()) < 1_000_000


def test_figures_take_their_colours_from_the_page(html):
    figures = "".join(re.findall(r"<svg.*?</svg>", html, flags=re.S))
    for name, colour in THEMED.items():
        assert as_hex(colour) not in figures
        assert f"--{name}: {as_hex(colour)};" in html
    for name in ("ink", "paper", "grid", "truth", "left", "right", "series-2"):
        assert f"var(--{name})" in figures
    dark = html.split("prefers-color-scheme: dark")[1].split("}")[0]
    assert not [name for name in THEMED if f"--{name}:" not in dark]


def test_a_page_of_next_to_nothing(least):
    read = Reader(least)
    assert not read.open
    assert "61.2" in read.words
    assert read.words.count("(no name)") == 2
    assert "1 frame: half within 61.2 mm, 90 % within 61.2 mm" in read.words
    assert "nan" not in " ".join(read.words).lower().split()
    assert "Answers and truth" not in read.words
    assert "Warnings" not in read.words
    assert "nan" not in "".join(re.findall(r' d="[^"]*"', least))


def test_a_picture_is_as_wide_as_it_says(tmp_path):
    path = tmp_path / "report.png"
    write_picture(path, replace(FULL, columns=[FULL.columns[2]]))
    assert path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    image = cv2.imread(str(path))
    assert image.shape[1] == PICTURE_WIDTH_PX
    assert 1000 < image.shape[0] < 2500
    assert (image[:, :4] == PAPER[::-1]).all()
    assert (image == SIDES["left"][::-1]).all(-1).sum() > 500


def test_figures_that_do_not_fit_beside_each_other_go_below(tmp_path):
    heights = []
    for lifters in (3, 4):
        few = [replace(LEAST.columns[0], group_mm={}, frame_mm=np.zeros(0))] * lifters
        write_picture(tmp_path / "report.png", replace(LEAST, columns=few))
        heights.append(len(cv2.imread(str(tmp_path / "report.png"))))
    assert heights[1] > heights[0] + 500


def test_the_users_own_matplotlib_settings_change_nothing(tmp_path, least):
    with mpl.rc_context({"text.usetex": True, "font.size": 30, "svg.fonttype": "path"}):
        write_page(tmp_path / "again.html", LEAST)
    assert (tmp_path / "again.html").read_text("utf-8") == least


@pytest.mark.parametrize("write", [write_page, write_picture])
def test_a_page_that_cannot_be_written_says_so_and_leaves_nothing(tmp_path, write):
    with pytest.raises(OutputError, match="there is no folder"):
        write(tmp_path / "none" / "report", LEAST)
    (tmp_path / "taken").mkdir()
    with pytest.raises(OutputError, match="a folder of this name is in the way"):
        write(tmp_path / "taken", LEAST)
    with no_file_longer_than(1000), pytest.raises(OutputError, match="cannot be written"):
        write(tmp_path / "report", LEAST)
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_names_of_files_may_be_anything(tmp_path):
    assert tidy("a\nb\x00c\udcff \u2028d") == "a b c? d"
    assert tidy("\u06a9\u200c\u0645") == "\u06a9\u200c\u0645"
    named = replace(LEAST.columns[0], label="\udcff\x00\n x")
    write_page(tmp_path / "odd.html", replace(LEAST, title="\udcff", columns=[named]))
    write_picture(tmp_path / "odd.png", replace(LEAST, title="t" * 400, columns=[named]))
    assert (cv2.imread(str(tmp_path / "odd.png"))[:80, 1540:1580] == PAPER[::-1]).all()
    assert "? x" in Reader((tmp_path / "odd.html").read_text("utf-8")).words


def test_values_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"joints that h36m17 does not have: \['neck'\]"):
        column(joint_mm={"neck": 1.0})
    with pytest.raises(ValueError, match="not h36m17"):
        example(pose=np.zeros((16, 3)), truth=np.zeros((16, 3)))
    with pytest.raises(ValueError, match="at least one lifter"):
        Page(title="", columns=[])
