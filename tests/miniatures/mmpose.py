"""A config of MMPose as those of RTMPose are written, of a network a few channels wide.

With it a checkpoint that holds beside its tensors what published ones hold.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch

from tests.nets import fill_with_noise

CONFIG = """
codec = dict(type='SimCCLabel', input_size=(192, 256), sigma=(4.9, 5.66), simcc_split_ratio=2.0,
             normalize=False, use_dark=False)
model = dict(
    type='{kind}',
    data_preprocessor=dict(type='PoseDataPreprocessor', mean=[123.675, 116.28, 103.53],
                           std=[58.395, 57.12, 57.375], bgr_to_rgb=True),
    backbone=dict(
        _scope_='{scope}', type='{backbone}', arch='P5', expand_ratio=0.5, deepen_factor=0.167,
        widen_factor=0.125, out_indices=(4, ), channel_attention=True,
        norm_cfg=dict(type='SyncBN'), act_cfg=dict(type='SiLU'),
        init_cfg=dict(type='Pretrained', prefix='backbone.',
                      checkpoint='https://download.openmmlab.com/no/such/file.pth')),
    head=dict(
        type='RTMCCHead', in_channels=128, out_channels={joints}, input_size=codec['input_size'],
        in_featuremap_size=(6, 8), simcc_split_ratio=2.0, final_layer_kernel_size=7,
        gau_cfg=dict(hidden_dims=32, s=16, expansion_factor=2, dropout_rate=0., drop_path=0.,
                     act_fn='SiLU', use_rel_bias=False, pos_enc=False),
        loss=dict(type='KLDiscretLoss', use_target_weight=True, beta=10., label_softmax=True),
        decoder=codec),
    test_cfg=dict(flip_test=True))
pipeline = [dict(type='LoadImage'), dict(type='GetBBoxCenterScale'),
            dict(type='TopdownAffine', input_size=codec['input_size']),
            dict(type='PackPoseInputs')]
test_dataloader = dict(dataset=dict(
    {dataset}, data_mode='topdown', ann_file='none.json', pipeline=pipeline))
val_dataloader = test_dataloader
train_dataloader = test_dataloader
"""

HEATMAP = """
codec = dict(type='MSRAHeatmap', input_size=(192, 256), heatmap_size=(48, 64), sigma=2)
model['backbone'] = dict(type='MobileNetV2', widen_factor=0.1, out_indices=(7, ))
model['head'] = dict(
    type='HeatmapHead', in_channels=1280, out_channels=17, deconv_out_channels=(8, 8, 8),
    loss=dict(type='KeypointMSELoss', use_target_weight=True), decoder=codec)
"""
"""What makes of the config above one of an older kind of network."""

FINDER = """
custom_imports = dict(imports=['tests.miniatures.mmpose_finder'])
codec = dict(type='MSRAHeatmap', input_size=(192, 256), heatmap_size=(192, 256), sigma=2)
model['backbone'] = dict(type='DotFinder', joints=17)
model['head'] = dict(
    type='HeatmapHead', in_channels=17, out_channels=17, deconv_out_channels=None,
    final_layer=None, loss=dict(type='KeypointMSELoss'), decoder=codec)
"""
"""What makes of it one of a network that finds the dots of `tests.pose_nets.draw_figure`."""

DATASETS = {
    17: "type='CocoDataset'",
    26: "type='CombinedDataset', metainfo=dict(from_file='configs/_base_/datasets/halpe26.py')",
    133: "type='CocoWholeBodyDataset'",
    21: "type='FreiHandDataset'",
}
SCORE = 0.2
"""How much smaller the last layers are than noise: most scores then lie between 0 and 1."""


def write_config(folder: Path, joints: int = 17, more: str = "", **changes: object) -> Path:
    """Write the config of a network of so many keypoints, its text changed by `changes`."""
    words = {"kind": "TopdownPoseEstimator", "scope": "mmdet", "backbone": "CSPNeXt"}
    words["dataset"] = DATASETS[joints]
    path = folder / f"toy-{joints}.py"
    path.write_text(CONFIG.format(**{**words, "joints": joints, **changes}) + more)
    return path


def write_checkpoint(path: Path, state: dict[str, torch.Tensor], **more: object) -> Path:
    """Write tensors with what else a published file has."""
    meta = {
        "cfg": "text", "epoch": 420, "seed": 21, "hook_msgs": {},
        "dataset_meta": {
            "dataset_name": "coco",
            "sigmas": np.linspace(0, 1, 17, dtype=np.float32),
            "keypoint_colors": np.full((17, 3), 255, np.uint8),
            "best": np.float64(0.75),
        },
    }  # fmt: skip
    torch.save({"meta": meta, "state_dict": state, **more}, path)
    return path


def noisy_state(config: Path) -> OrderedDict[str, torch.Tensor]:
    """Return tensors for the network of a config; what it finds depends on what it sees."""
    from mmpose.apis import init_model

    model = init_model(str(config), None, device="cpu")
    fill_with_noise(model)
    state = model.state_dict()
    for name in {"head.cls_x.weight", "head.cls_y.weight", "head.final_layer.bias"} & set(state):
        state[name] *= SCORE
    return state
