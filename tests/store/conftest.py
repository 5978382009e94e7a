from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_katib_provider.store.store import KatibStore
from tests.store.samples import KEY, create

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL

    from airflow_katib_provider.store.records import ExperimentRecord


@pytest.fixture
def store(database_url: URL) -> Iterator[KatibStore]:
    store = KatibStore(database_url)
    yield store
    store.dispose()


@pytest.fixture
def experiment(store: KatibStore) -> ExperimentRecord:
    return create(store, KEY)
