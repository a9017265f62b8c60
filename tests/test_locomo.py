"""The LoCoMo benchmark on a conversation of our own, in LoCoMo's form."""

import json
from pathlib import Path

import pytest

from benchmarks import locomo

CONVERSATION = {
    "conversation": {
        "speaker_a": "Ada",
        "speaker_b": "Ben",
        "session_1_date_time": "1:56 pm on 8 May, 2023",
        "session_1": [
            {"speaker": "Ada", "dia_id": "D1:1", "text": "I bought a canoe and called it Pelican."},
            {"speaker": "Ben", "dia_id": "D1:2", "text": "My knee hurts since the marathon."},
        ],
        "session_2_date_time": "9:00 am on 20 May, 2023",
        "session_2": [
            {"speaker": "Ben", "dia_id": "D2:1", "text": "Look at this!", "blip_caption": "a photo of a lighthouse"},
            {"speaker": "Ada", "dia_id": "D2:2", "text": "I would love to live there."},
        ],
    },
    "qa": [
        {"question": "What is Ada's canoe called?", "answer": "Pelican", "evidence": ["D1:1"], "category": 4},
        {"question": "What did Ben show?", "answer": "a lighthouse", "evidence": ["D2:1; D9:9"], "category": 1},
        {"question": "When did Ben run a marathon?", "answer": "?", "evidence": ["D1:2"], "category": 2},
        {"question": "Who is Zoe?", "answer": "nobody", "evidence": ["D1:1"], "category": 5},
        {"question": "What is lost?", "answer": "?", "evidence": ["D9:9"], "category": 4},
    ],
}


def test_the_benchmark_finds_what_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "conversations.json"
    file.write_text(json.dumps([CONVERSATION]), encoding="utf-8")
    assert locomo.main(["--data", str(file), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    whole = {row["method"]: row for row in rows if row["category"] == "all"}
    assert set(whole) == {"dense", "BM25", "rank fusion", "persona"}
    assert whole["persona"]["questions"] == 3
    assert whole["persona"]["recall"]["5"] == 100.0
    assert whole["persona"]["recall"]["1"] == 100.0


def test_scores_are_the_share_of_the_evidence() -> None:
    question = locomo.Question("?", 1, frozenset({1, 2}))
    asked = [locomo.Asked("persona", question, ranking, 5.0) for ranking in ((1, 9, 2), (9, 8, 7))]
    row = locomo.tabulate(asked, ["persona"])[-1]
    assert row.recall == {1: 25.0, 5: 50.0, 10: 50.0, 20: 50.0}
    assert row.ndcg == pytest.approx(50 * (1 + 0.5) / (1 + 0.6309), rel=1e-3)
    assert "| persona | all | 2 | 25.0 | 50.0 |" in locomo.render([row])
