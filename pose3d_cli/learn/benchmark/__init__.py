"""Lifters measured on data sets, by the field's protocols."""
