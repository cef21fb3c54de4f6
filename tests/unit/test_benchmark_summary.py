from dataclasses import replace

import numpy as np
import pytest

from pose3d_cli.errors import InputError, UnknownNameError
from pose3d_cli.learn.benchmark.board import Board, write_csv, write_files
from pose3d_cli.learn.benchmark.evaluation import Evaluation, read_evaluation, write_evaluation
from pose3d_cli.learn.benchmark.paired import compare_pair
from pose3d_cli.learn.benchmark.protocol import PROTOCOLS, BenchmarkProtocol, pick_protocol
from pose3d_cli.learn.benchmark.score import ClipScore
from pose3d_cli.learn.benchmark.summary import figure

ACTIONS = BenchmarkProtocol(name="a", about="A.", average="actions")
FRAMES = replace(ACTIONS, average="frames")


def score(name, mean_mm, frames, group="walk", take=""):
    """A clip each of whose frames errs alike."""
    each = np.full(frames, mean_mm / 1000)
    return ClipScore(
        name=name,
        take=take or name,
        group=group,
        total={"mpjpe": float(each.sum()), "p_mpjpe": float(each.sum() / 2)},
        count={"mpjpe": frames, "p_mpjpe": frames},
        joint_total=np.full(17, each.sum()),
        joint_count=np.full(17, frames),
        frame=np.arange(frames),
        frame_mpjpe=each.astype(np.float32),
        wanted=frames,
        pose=np.zeros((17, 3), np.float32),
        truth=np.zeros((17, 3), np.float32),
    )


def evaluation(clips, label="one", **changes):
    values = {
        "label": label,
        "weights": {"path": "one.safetensors"},
        "dataset": "h36m",
        "split": "test",
        "keypoints": "cpn",
        "protocol": "videopose3d",
        "laying": "video",
        "settings": {"mirror": True},
        "clips": clips,
        "seconds": 1.0,
        "notes": ["a note"],
    }
    return Evaluation(**values | changes)


def test_the_mean_of_actions_is_not_the_mean_of_frames():
    clips = [score("a", 10, 100), score("b", 40, 50, "sit"), score("c", 20, 100)]
    by_action = figure(clips, "mpjpe", ACTIONS)
    assert by_action.value == pytest.approx((15 + 40) / 2)
    assert by_action.over_frames == pytest.approx((10 * 100 + 40 * 50 + 20 * 100) / 250)
    assert figure(clips, "mpjpe", FRAMES).value == pytest.approx(by_action.over_frames)


def test_within_an_action_frames_count_alike_whatever_clip_they_are_of():
    clips = [score("a", 10, 300), score("b", 50, 100)]
    assert figure(clips, "mpjpe", ACTIONS).value == pytest.approx(20)
    by_clip = [score("a", 10, 300, "a"), score("b", 50, 100, "b")]
    assert figure(by_clip, "mpjpe", replace(ACTIONS, average="clips")).value == pytest.approx(30)


def test_the_interval_holds_the_value_and_grows_with_the_spread():
    near = [score(f"{i}", 30 + i, 10) for i in range(8)]
    far = [score(f"{i}", 30 + 10 * i, 10) for i in range(8)]
    widths = []
    for clips in (near, far):
        found = figure(clips, "mpjpe", FRAMES)
        assert found.low < found.value < found.high
        widths.append(found.high - found.low)
    assert widths[1] == pytest.approx(10 * widths[0], rel=0.01)


def test_the_interval_is_that_of_the_known_spread_of_means():
    random = np.random.default_rng(0)
    errors = 50 + 10 * random.standard_normal(200)
    found = figure([score(f"{i}", e, 10) for i, e in enumerate(errors)], "mpjpe", FRAMES)
    expected = 2 * 1.96 * errors.std() / np.sqrt(200)
    assert found.high - found.low == pytest.approx(expected, rel=0.1)


def test_views_of_a_take_are_drawn_together():
    # Four cameras tell no more about other takes than one does.
    single = [score(f"{i}", 30 + 5 * i, 10) for i in range(6)]
    seen_by_four = [
        score(f"{i}/{c}", 30 + 5 * i, 10, take=f"{i}") for i in range(6) for c in range(4)
    ]
    alone, together = (figure(clips, "mpjpe", FRAMES) for clips in (single, seen_by_four))
    assert (together.low, together.high) == pytest.approx((alone.low, alone.high))


def test_views_of_a_take_are_drawn_together_where_each_clip_is_a_group_too():
    single = [score(f"{i}", 30 + 5 * i, 10, group=f"{i}") for i in range(6)]
    two_views = [
        score(f"{i}/{c}", 30 + 5 * i, 10, group=f"{i}/{c}", take=f"{i}")
        for i in range(6)
        for c in range(2)
    ]
    by_clip = replace(ACTIONS, average="clips")
    alone, together = (figure(clips, "mpjpe", by_clip) for clips in (single, two_views))
    assert (together.low, together.high) == pytest.approx((alone.low, alone.high))
    only = figure(two_views[:2], "mpjpe", by_clip)
    assert only.value == pytest.approx(30)
    assert np.isnan(only.low)  # two views of one take


def test_two_views_of_a_take_are_one_to_the_rank_test():
    def views(errors, label):
        clips = [
            score(f"{i}/{c}", e, 10, group=f"{i}/{c}", take=f"{i}")
            for i, e in enumerate(errors)
            for c in range(4)
        ]
        return evaluation(clips, label, protocol="own", dataset="folder")

    pair = compare_pair(views([10, 20, 30], "one"), views([11, 22, 33], "two"))
    assert (pair.takes, pair.second_wins) == (3, 0)
    assert np.isnan(pair.p)  # three takes cannot tell, twelve views cannot either


def test_single_takes_are_drawn_as_groups():
    clips = [score(f"{i}", 30 + 5 * i, 10, group=f"g{i}") for i in range(6)]
    found = figure(clips, "mpjpe", replace(ACTIONS, average="clips"))
    assert found.high - found.low > 5


def test_one_take_has_no_interval_and_nothing_has_no_figure():
    found = figure([score("a", 10, 5)], "mpjpe", FRAMES)
    assert np.isnan([found.low, found.high]).all()
    assert figure([score("a", 10, 5)], "pck", FRAMES) is None


def test_an_evaluation_is_read_as_it_was_written(tmp_path):
    clips = [score("ä/1", 10, 5), score("b", 40, 3, "sit")]
    written = evaluation(clips)
    write_evaluation(tmp_path / "e.npz", written)
    read = read_evaluation(tmp_path / "e.npz")
    assert read.to_json() == written.to_json()
    assert [clip.name for clip in read.clips] == ["ä/1", "b"]
    np.testing.assert_array_equal(read.clips[1].frame_mpjpe, clips[1].frame_mpjpe)
    np.testing.assert_array_equal(read.clips[0].frame, np.arange(5))


def test_a_file_of_another_kind_is_refused(tmp_path):
    np.savez(tmp_path / "x.npz", a=np.zeros(3))
    with pytest.raises(InputError, match="not written by pose3d"):
        read_evaluation(tmp_path / "x.npz")


def test_a_better_lifter_is_told_from_luck():
    random = np.random.default_rng(0)
    hard = 40 + 20 * random.random(20)
    first = evaluation([score(f"{i}", e, 10) for i, e in enumerate(hard)], "first")
    better = [score(f"{i}", e - 2 + random.normal(), 10) for i, e in enumerate(hard)]
    lucky = [score(f"{i}", e + 3 * random.normal(), 10) for i, e in enumerate(hard)]
    sure = compare_pair(first, evaluation(better, "second"))
    assert sure.is_sure
    assert sure.difference == pytest.approx(-2, abs=0.6)
    assert sure.p < 0.001
    assert sure.second_wins > 15
    unsure = compare_pair(first, evaluation(lucky, "third"))
    assert not unsure.is_sure
    assert unsure.p > 0.05


def test_the_verdict_says_which_one_is_better():
    clips = [score(f"{i}", 50 + i, 10) for i in range(12)]
    better = [score(f"{i}", 40 + i, 10) for i in range(12)]
    rows = Board.of([evaluation(clips, "one"), evaluation(better, "two")]).pair_rows()
    assert {row[-1] for row in rows[1:]} == {"two is better"}
    rows = Board.of([evaluation(better, "one"), evaluation(clips, "two")]).pair_rows()
    assert {row[-1] for row in rows[1:]} == {"two is worse"}


def test_the_difference_is_that_of_the_protocols_means():
    one = [score("a", 10, 300), score("b", 20, 100), score("c", 50, 10, "sit")]
    two = [score("a", 14, 300), score("b", 20, 100), score("c", 40, 10, "sit")]
    pair = compare_pair(evaluation(one), evaluation(two, "two"))
    means = [figure(clips, "mpjpe", PROTOCOLS["videopose3d"]).value for clips in (one, two)]
    assert pair.difference == pytest.approx(means[1] - means[0])
    assert np.isnan(pair.p)  # three takes cannot tell


@pytest.mark.parametrize("what", ["dataset", "split", "protocol", "keypoints"])
def test_evaluations_of_other_data_are_not_compared(what):
    one = evaluation([score("a", 10, 5)])
    other = {"dataset": "3dhp", "split": "val", "protocol": "3dhp-strict", "keypoints": "gt"}
    with pytest.raises(InputError, match=f"cannot be compared: {what}"):
        compare_pair(one, evaluation(one.clips, "two", **{what: other[what]}))


def test_evaluations_of_other_frames_are_not_compared():
    one = evaluation([score("a", 10, 5)])
    with pytest.raises(InputError, match="other clips or frames"):
        compare_pair(one, evaluation([score("a", 10, 6)], "two"))


def test_a_board_tells_equal_labels_apart_and_compares_all(tmp_path):
    clips = [score(f"{i}", 10 + i, 5) for i in range(7)]
    board = Board.of([evaluation(clips), evaluation(clips), evaluation(clips, "other")])
    assert [e.label for e in board.evaluations] == ["one (1)", "one (2)", "other"]
    assert len(board.pairs) == 3 * 2
    assert {row[-1] for row in board.pair_rows()[1:]} == {"no difference beyond chance"}
    paths = write_files(tmp_path, board)
    assert all(path.stat().st_size for path in paths)
    assert read_evaluation(tmp_path / "one_1.npz").label == "one (1)"


def test_the_table_as_csv_has_all_figures(tmp_path):
    board = Board.of([evaluation([score("a", 10, 5), score("b", 40, 3, "sit, down")])])
    write_csv(tmp_path / "t.csv", board)
    lines = (tmp_path / "t.csv").read_text().splitlines()
    assert lines[0].startswith("label,dataset,split")
    assert 'one,h36m,test,cpn,videopose3d,group,"sit, down",MPJPE,mm,40.0,,,3' in lines
    assert sum(",joint," in line for line in lines) == 17


def test_groups_beyond_what_fits_are_cut_to_the_worst():
    clips = [score(f"{i}", i, 5, group=f"g{i}") for i in range(40)]
    rows = Board.of([evaluation(clips)]).group_rows()
    assert rows[1][0] == "g39"
    assert rows[-1] == ("and 16 more, better than these",)


def test_a_protocol_of_another_set_is_told():
    assert pick_protocol("", ("3dhp-strict", "3dhp-legacy")).name == "3dhp-strict"
    with pytest.raises(UnknownNameError, match="videopose3d measures another data set"):
        pick_protocol("videopose3d", ("3dhp-strict",))
    with pytest.raises(UnknownNameError, match="no protocol '3dhp'; did you mean"):
        pick_protocol("3dhp", ("3dhp-strict",))


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_protocol_says_what_it_does(name):
    words = " ".join(PROTOCOLS[name].in_words())
    assert "Averaged is" in words
    assert "root is" in words
    assert len(PROTOCOLS[name].beware()) >= 4
