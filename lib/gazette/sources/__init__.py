"""Adapters to where data lives: a warehouse through ibis, a registry through MLflow. They keep what they asked."""

from gazette.sources._answer import Answer, column_of
from gazette.sources._drawn import drawn_arms
from gazette.sources._engine import missing_driver
from gazette.sources._file import FileAnswer, FileQuestion, read_file
from gazette.sources._file_doctor import Examination, examine_file
from gazette.sources._file_metric import FileMetric, metric_name, parse_metric
from gazette.sources._history import HISTORY_TEXTS, HISTORY_VALUES, empty_history, past_tests
from gazette.sources._importance import read_importance
from gazette.sources._matched import of_nobody
from gazette.sources._mlflow import read_registry
from gazette.sources._prometheus import read_prometheus
from gazette.sources._repeated import worst_day
from gazette.sources._segment import narrow_to_segment, segment_names
from gazette.sources._telemetry import empty_telemetry, tables
from gazette.sources._warehouse import (
    Period,
    Warehouse,
    bridge_answer,
    draw_in_warehouse,
    experiment_answers,
    importance_rows,
    model_answers,
    people_answers,
    row_counts,
    tables_of,
    told_answer,
    user_rows,
)

__all__ = [
    "HISTORY_TEXTS",
    "HISTORY_VALUES",
    "Answer",
    "Examination",
    "FileAnswer",
    "FileMetric",
    "FileQuestion",
    "Period",
    "Warehouse",
    "bridge_answer",
    "column_of",
    "draw_in_warehouse",
    "drawn_arms",
    "empty_history",
    "empty_telemetry",
    "examine_file",
    "experiment_answers",
    "importance_rows",
    "metric_name",
    "missing_driver",
    "model_answers",
    "narrow_to_segment",
    "of_nobody",
    "parse_metric",
    "past_tests",
    "people_answers",
    "read_file",
    "read_importance",
    "read_prometheus",
    "read_registry",
    "row_counts",
    "segment_names",
    "tables",
    "tables_of",
    "told_answer",
    "user_rows",
    "worst_day",
]
