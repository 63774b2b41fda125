"""A deployment's notice goes the way of every alert, and says so when that way is closed."""

from __future__ import annotations

import pytest

from jobs.lake.errors import LakeError
from sluice_airflow.canary_dag import NoticeOperator
from tests.plugins.sluice_airflow.alerts.scene import Scene


def test_notice_reaches_the_topic_of_low_severity(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_ALERT_TOPICS", scene.inbox.topics)
    NoticeOperator(task_id="tell", tried="0123456789ab").execute({"run_id": "deploy__1"})
    (told,) = scene.inbox.received()
    assert (told["topic"], told["event"], told["title"]) == ("low", "notice", "Release 0123456789ab was tried")


@pytest.mark.parametrize("topics", ["", "arn:aws:sns:eu-west-1:123456789012:nobody-alerts"])
def test_notice_that_can_not_be_sent_fails_the_task(topics: str, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_ALERT_TOPICS", topics)
    with pytest.raises(LakeError):
        NoticeOperator(task_id="tell", tried="0123456789ab").execute({"run_id": "deploy__1"})
