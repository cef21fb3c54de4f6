"""Bytes: video in and out, pose files, tables."""
