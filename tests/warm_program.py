"""What the process has imported that `program.gazette` forks commands from, and the warm process that their notebooks share."""

import importlib
import os
import pkgutil

import gazette
from gazette.runs import present_environment, warm

late = (  # what commands import only when they need it
    "ibis.backends.duckdb",
    "mlflow.sklearn",
    "mlflow.store.tracking.sqlalchemy_store",
    "papermill",
    "smalldocs.site",
)

for name in (*late, *(m.name for m in pkgutil.walk_packages(gazette.__path__, "gazette."))):
    if not name.endswith("__main__"):
        importlib.import_module(name)

os.environ.pop("PYTHONPATH", None)  # it was only to find this file
present_environment()  # known once: finding what is installed takes half a second, and no command here changes it
warm()
