"""Adapters to where data lives: a warehouse through ibis, a registry through MLflow. They keep what they asked."""

from gazette.sources._answer import Answer
from gazette.sources._mlflow import read_registry
from gazette.sources._warehouse import Period, Warehouse, experiment_answers, model_answers

__all__ = ["Answer", "Period", "Warehouse", "experiment_answers", "model_answers", "read_registry"]
