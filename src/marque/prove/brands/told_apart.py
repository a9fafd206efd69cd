"""How well a blind classifier tells brands apart from a minute of motion.

A random forest of scikit-learn (extra `marque[brands]`); each fold leaves whole trips out, or whole
cars, or whole maps, so that no road and no traffic jam is recognised instead of a brand.
"""

from collections.abc import Sequence

import numpy as np

from marque.core.arrays import FloatArray, IntArray
from marque.core.errors import MarqueError
from marque.metrics.character import GROUPS

TREES, FOLDS = 300, 5


def need_classifier() -> None:
    """MarqueError: scikit-learn is not installed."""
    try:
        import sklearn  # noqa: F401
    except ImportError as error:
        raise MarqueError(
            "telling brands apart needs scikit-learn: pip install 'marque[brands]'"
        ) from error


def accuracy(
    seen: Sequence[dict[str, list[float]]],
    brand: Sequence[str],
    kept_out: Sequence[str],
    without: str = "",
) -> float:
    """Share of windows whose brand is told right by who has seen none of the same `kept_out` (trip,
    car, or map); nan where there are fewer than two of those. `without`: a group of GROUPS that
    the classifier is not shown."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.model_selection import GroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline

    names = sorted(set(kept_out))
    if len(names) < 2:
        return float("nan")
    table = _table(seen, without)
    labels = np.array(brand)
    groups: IntArray = np.array([names.index(one) for one in kept_out])
    model = make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True),
        RandomForestClassifier(TREES, random_state=0, class_weight="balanced"),
    )
    folds = GroupKFold(min(FOLDS, len(names)))
    told = cross_val_predict(model, table, labels, groups=groups, cv=folds)
    return float(np.mean(told == labels))


def _table(seen: Sequence[dict[str, list[float]]], without: str) -> FloatArray:
    groups = [each for each in GROUPS if each != without]
    return np.array([[value for each in groups for value in row[each]] for row in seen], np.float64)
