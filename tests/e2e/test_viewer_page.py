"""The viewer's page in a browser: Chromium without a window, driven by ChromeDriver.

Skipped where Chromium, ChromeDriver or `selenium` (extra `browser`) is not there.
"""

from __future__ import annotations

import shutil
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from pose3d_cli.files.video import open_video
from pose3d_cli.render.viewer.page import write_viewer
from tests.people import empty, make_film
from tests.viewed import FPS, SIZE, TILTED, clip_of, walker, walkers

selenium = pytest.importorskip("selenium")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chrome"))), None)
DRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="no Chromium or ChromeDriver")

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync "
    "--disable-background-networking --disable-component-update --window-size=1300,900"
)
N = 40
LATE_ROW = 15
LATE_ROWS = np.r_[LATE_ROW:25, 30:N]
BRIGHTER = 6
"""By how much each picture of a film is brighter than the one before."""


def brightening(n_frames):
    return [np.full((SIZE[1], SIZE[0], 3), BRIGHTER * n, np.uint8) for n in range(n_frames)]


class Page:
    """A page that is open, and what its script knows."""

    def __init__(self, driver):
        self.driver = driver

    def open(self, path, *, wait="window.pose3d?.player.hasVideo"):
        self.driver.get(path.as_uri())
        self.until(wait)

    def tell(self, script):
        return self.driver.execute_script(f"return {script}")

    def until(self, script):
        from selenium.webdriver.support.ui import WebDriverWait

        WebDriverWait(self.driver, 20).until(lambda _: self.tell(script), script)

    def errors(self):
        return [e["message"] for e in self.driver.get_log("browser") if e["level"] == "SEVERE"]

    def press(self, *keys):
        for key in keys:
            self.driver.find_element("tag name", "body").send_keys(key)

    def seek(self, row):
        """Draw the scrub bar to a row, as a finger does, and wait for the video."""
        self.driver.execute_script(
            "scrub.value = arguments[0]; scrub.dispatchEvent(new Event('input'))", row
        )
        self.settled(row)

    def settled(self, row):
        self.until(
            f"pose3d.player.row === {row} && pose3d.player.shownRow === {row} "
            f"&& !video.seeking && scrub.value === '{row}'"
        )

    def pictures(self):
        return [
            self.tell(f"document.getElementById('{n}').toDataURL()") for n in ("overlay", "scene")
        ]

    def row_of_video(self):
        return self.tell("pose3d.player.rowAt(video.currentTime - pose3d.player.offset)")

    def brightness_of_video(self):
        """Return how bright a corner of the video is on the screen."""
        box = self.tell("video.getBoundingClientRect().toJSON()")
        png = np.frombuffer(self.driver.get_screenshot_as_png(), np.uint8)
        screen = cv2.imdecode(png, cv2.IMREAD_COLOR)
        return screen[round(box["bottom"]) - 20, round(box["left"]) + 20].mean()

    def size(self, width, height):
        told = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", told)

    def prefer(self, scheme):
        told = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", told)

    def brightness(self):
        colour = self.tell("getComputedStyle(document.body).backgroundColor")
        return np.mean([int(c) for c in colour[4:-1].split(",")])


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in FLAGS.split():
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('profile')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def page(driver):
    page = Page(driver)
    page.size(1300, 900)
    page.prefer("light")
    yield page
    driver.get("about:blank")
    page.errors()  # what is told of one page is not taken for the next one's


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A clip whose name needs care and its page: two people, one of them late, and away a while."""
    folder = tmp_path_factory.mktemp("viewer")
    clip = make_film(folder / "50% ü #1.mp4", brightening(N))
    late = walker(1, LATE_ROWS, N)
    (folder / "out").mkdir()
    write_viewer(
        folder / "out" / "page.html", clip_of([walker(0, np.arange(N), N), late], N), video=clip
    )
    return folder


@pytest.fixture
def opened(page, folder):
    page.open(folder / "out" / "page.html")
    return page


def test_it_opens_without_an_error_and_knows_every_frame(opened):
    assert opened.tell("[pose3d.clip.times.length, scrub.max]") == [N, str(N - 1)]
    assert opened.tell("document.getElementById('no-video').hidden")
    assert "50% ü #1.mp4" in opened.driver.title
    assert opened.driver.find_element("id", "frame").text == "frame 0"
    assert opened.errors() == []


def test_its_script_reads_the_very_numbers(opened):
    late = walker(1, LATE_ROWS, N)
    assert opened.tell("Array.from(pose3d.clip.times)") == list(np.arange(N) / FPS)
    assert opened.tell("Array.from(pose3d.clip.people[1].rows)") == late.rows.tolist()
    for name, true, within in (
        ("xyz", TILTED.from_camera(late.xyz_camera), 0.0006),
        ("px", late.keypoints_px, 0.06),
        ("score", late.score, 0.026),
    ):
        found = np.array(opened.tell(f"Array.from(pose3d.clip.people[1].{name})"))
        np.testing.assert_allclose(found, true.ravel(), atol=within)


def test_scrubbing_moves_the_video_and_both_pictures(opened):
    before = opened.pictures()
    for row in (20, 7, 33):
        opened.seek(row)
        assert opened.row_of_video() == row
        assert abs(opened.brightness_of_video() - BRIGHTER * row) < BRIGHTER / 2
        after = opened.pictures()
        assert before[0] != after[0]
        assert before[1] != after[1]
        before = after
    assert opened.driver.find_element("id", "time").text == "1.100 s"


def test_playing_moves_all_in_step_and_begins_again(opened):
    opened.press(" ")
    opened.until("pose3d.player.row > 4")
    opened.press(" ")
    assert opened.tell("video.paused && !pose3d.player.isPlaying")
    assert abs(opened.row_of_video() - opened.tell("pose3d.player.row")) <= 2
    opened.seek(N - 2)
    opened.press(" ")
    opened.until("pose3d.player.row < 20 && pose3d.player.isPlaying")
    opened.press(" ", "l")
    opened.seek(N - 2)
    opened.press(" ")
    opened.until("!pose3d.player.isPlaying")
    assert opened.tell("pose3d.player.row") == N - 1


def test_keys_step_jump_and_change_speed(opened):
    from selenium.webdriver.common.keys import Keys

    opened.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT)
    opened.settled(2)
    opened.press(Keys.SHIFT + Keys.ARROW_RIGHT)
    opened.settled(12)
    opened.press(Keys.END)
    opened.settled(N - 1)
    assert opened.row_of_video() == N - 1
    opened.press(Keys.HOME)
    opened.settled(0)
    opened.press(Keys.ARROW_DOWN)
    assert opened.tell("[video.playbackRate, speed.value]") == [0.5, "0.5"]
    opened.press("?")
    assert opened.tell("help.open")


def spots(page):
    return page.tell(
        "[pose3d.overlay, pose3d.scene].map((p) => [...new Set(p.spots.map((s) => s.person.id))])"
    )


def test_a_person_can_be_hidden_and_is_absent_where_nobody_saw_them(opened):
    assert spots(opened) == [[0], [0]]
    opened.seek(LATE_ROW)
    assert spots(opened) == [[0, 1], [0, 1]]
    opened.seek(27)
    assert spots(opened) == [[0], [0]]
    opened.seek(LATE_ROW)
    opened.press("1")
    opened.until("pose3d.scene.spots.every((s) => s.person.id === 1)")
    assert spots(opened) == [[1], [1]]
    opened.driver.find_elements("css selector", "#people button")[1].click()
    opened.until("!pose3d.scene.spots.length")
    assert opened.tell("document.querySelectorAll('#people [aria-pressed=false]').length") == 2


def test_the_scene_is_turned_by_dragging_and_set_back(opened):
    from selenium.webdriver import ActionChains

    at_first = opened.tell("[pose3d.scene.view.azimuth, pose3d.scene.view.distance]")
    before = opened.pictures()
    scene = opened.driver.find_element("id", "scene")
    ActionChains(opened.driver).drag_and_drop_by_offset(scene, 90, 10).perform()
    assert opened.tell("pose3d.scene.view.azimuth") < at_first[0] - 0.3
    ActionChains(opened.driver).scroll_from_origin(wheel_from(scene), 0, 200).perform()
    assert opened.tell("pose3d.scene.view.distance") > 1.1 * at_first[1]
    after = opened.pictures()
    assert (before[0] == after[0], before[1] == after[1]) == (True, False)
    opened.press("r")
    opened.until(f"Math.abs(pose3d.scene.view.distance - {at_first[1]}) < 1e-9")


def wheel_from(element):
    from selenium.webdriver.common.actions.wheel_input import ScrollOrigin

    return ScrollOrigin.from_element(element)


def test_left_is_left_upright_is_up_and_the_overlay_lies_on_the_keypoints(opened):
    """They face away from the camera, so that their left is at the left when seen as it looks."""
    opened.seek(LATE_ROW)
    opened.driver.find_element("css selector", "[data-look=camera]").click()
    opened.until("Math.abs(pose3d.scene.view.azimuth + Math.PI / 2) < 1e-6")
    script = (
        "pose3d.{0}.spots.filter((s) => s.person.id === 0)"
        ".map((s) => [pose3d.clip.joints[s.joint], [s.x, s.y]])"
    )
    seen = {name: dict(opened.tell(script.format(name))) for name in ("overlay", "scene")}
    true = dict(
        zip(
            walkers(1, 1).joint_names,
            walker(0, np.arange(N), N).keypoints_px[LATE_ROW],
            strict=True,
        )
    )
    scale = opened.tell("overlay.getBoundingClientRect().width") / SIZE[0]
    for joint, at in seen["overlay"].items():
        np.testing.assert_allclose(at, scale * true[joint], atol=0.2)
    for places in seen.values():
        assert places["head"][1] < places["pelvis"][1] < places["left_ankle"][1]
        is_right_of = true["left_shoulder"][0] > true["right_shoulder"][0]
        assert (places["left_shoulder"][0] > places["right_shoulder"][0]) == is_right_of


def test_a_joint_that_is_clicked_is_read_out(opened):
    from selenium.webdriver import ActionChains

    place = opened.tell(
        "(() => { const s = pose3d.scene.spots.find((s) => s.joint === 0), "
        "b = scene.getBoundingClientRect(); return [s.x - b.width / 2, s.y - b.height / 2] })()"
    )
    scene = opened.driver.find_element("id", "scene")
    mouse = ActionChains(opened.driver)
    mouse.move_to_element_with_offset(scene, round(place[0]), round(place[1])).click().perform()
    opened.until("document.getElementById('joint').textContent.startsWith('person 0, pelvis: x')")
    x, y, z = TILTED.from_camera(walker(0, np.arange(N), N).xyz_camera[0, 0])
    words = opened.driver.find_element("id", "joint").text.replace("\N{MINUS SIGN}", "-")
    assert f"x {x:.2f}, y {y:.2f}, z {z:.2f} m" in words


def test_a_click_in_a_plot_goes_there(opened):
    from selenium.webdriver import ActionChains

    plots = opened.driver.find_elements("css selector", "#plots canvas")
    assert len(plots) == 3
    ActionChains(opened.driver).move_to_element(plots[1]).click().perform()
    opened.until("pose3d.player.row > 15 && pose3d.player.row < 25")


def test_light_and_dark_follow_the_system_and_the_button(opened):
    assert opened.brightness() > 200
    light = opened.pictures()[1]
    opened.prefer("dark")
    opened.until("theme.getAttribute('aria-pressed') === 'true'")
    assert opened.brightness() < 60
    assert opened.pictures()[1] != light
    opened.driver.find_element("id", "theme").click()
    assert opened.brightness() > 200


@pytest.mark.parametrize("width", [360, 800, 1920])
def test_nothing_is_wider_than_the_window(page, folder, width):
    page.size(width, 800)
    page.open(folder / "out" / "page.html")
    assert page.tell("document.documentElement.scrollWidth") <= width
    for name in ("video", "overlay", "scene"):
        box = page.tell(f"document.getElementById('{name}').getBoundingClientRect().toJSON()")
        assert box["width"] > 150
        assert box["height"] > 150


def test_without_the_video_it_works_and_one_can_be_chosen(page, folder):
    write_viewer(folder / "moved.html", walkers(2, N), video=folder / "gone.mp4")
    page.open(folder / "moved.html", wait="!document.getElementById('no-video').hidden")
    assert "gone.mp4" in page.driver.find_element("id", "video-words").text
    assert all("gone.mp4" in message for message in page.errors())
    before = page.pictures()
    page.press(" ")
    page.until("pose3d.player.row > 10")
    page.press(" ")
    after = page.pictures()
    assert before[0] != after[0]
    assert before[1] != after[1]
    page.driver.find_element("id", "choose").send_keys(str(folder / "50% ü #1.mp4"))
    page.until("pose3d.player.hasVideo")
    page.seek(12)
    assert page.row_of_video() == 12
    assert page.tell("document.getElementById('other-video').hidden")


def test_uneven_times_and_a_span_of_a_video_stay_in_step(page, folder):
    """The clip begins at 0.5 s of its file; the result is of a span of it."""
    times_s = 0.5 + np.cumsum(np.random.default_rng(1).uniform(0.02, 0.2, N))
    clip = make_film(folder / "uneven.mp4", empty(N, SIZE), times_s=times_s)
    with open_video(clip) as video:
        read_s = np.array([frame.time_s for frame in video])
    span = np.arange(10, 30)
    result = clip_of([walker(0, np.arange(20), 20)], 20, time_s=read_s[span], frame=span)
    write_viewer(folder / "uneven.html", result, video=clip)
    page.open(folder / "uneven.html")
    for row in (0, 7, 19, 3):
        page.seek(row)
        shown = page.tell("video.currentTime - pose3d.player.offset")
        assert result.time_s[row] <= shown
        assert row == 19 or shown < result.time_s[row + 1]
    assert page.driver.find_element("id", "frame").text == "frame 13"


def with_early_sound(path, pictures, late):
    """Write a film whose pictures begin some frames after its sound."""
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=FPS, options={"bf": "0"})
        (stream.width, stream.height), stream.pix_fmt = SIZE, "yuv420p"
        sound = film.add_stream("aac", rate=48000)
        sound.layout = "mono"
        for block in range(100):
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            silence.sample_rate, silence.pts = 48000, 1024 * block
            silence.time_base = Fraction(1, 48000)
            film.mux(sound.encode(silence))
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts, frame.time_base = late + number, Fraction(1, FPS)
            film.mux(stream.encode(frame))
        film.mux(stream.encode())
        film.mux(sound.encode())
    return path


def test_pictures_that_begin_after_the_sound_stay_in_step(page, folder):
    clip = with_early_sound(folder / "late.mp4", brightening(N), late=18)
    write_viewer(folder / "late.html", walkers(1, N), video=clip)
    page.open(folder / "late.html")
    assert page.tell("pose3d.player.offset") == pytest.approx(18 / FPS, abs=0.001)
    for row in (25, 4):
        page.seek(row)
        assert abs(page.brightness_of_video() - BRIGHTER * row) < BRIGHTER / 2


@pytest.mark.parametrize(
    ("result", "words"), [(walkers(0, 5), "Nobody was found"), (walkers(0, 0), "not one frame")]
)
def test_nobody_is_said_in_words(page, folder, result, words):
    write_viewer(folder / "empty.html", result)
    page.open(folder / "empty.html", wait="!!window.pose3d")
    assert words in page.driver.find_element("id", "joint").text
    assert page.errors() == []


def test_one_frame_a_ghost_and_a_hostile_name_do_no_harm(page, folder):
    ghost = walker(0, np.arange(1), 1)
    ghost.xyz_camera[:], ghost.keypoints_px[:] = np.nan, np.nan
    name = "</script><img src=x onerror=alert(1)>"
    write_viewer(folder / "one.html", clip_of([ghost, walker(1, np.arange(1), 1)], 1), title=name)
    page.open(folder / "one.html", wait="window.pose3d?.scene.spots.length === 17")
    page.press(" ")
    assert page.driver.find_element("tag name", "h1").text == name
    assert page.tell("document.images.length") == 0
    assert page.errors() == []
