"""Write the tiny benchmarks: made-up people (world.toml) in the format of every published data set, pictures drawn.

    python -m models.evaluation.tiny_sets [FOLDER]

What it writes is shipped in persona_cli/evaluation/tiny; a test holds that it is what this writes.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from models.evaluation.writing import draw, dump, jsonl, table
from persona_cli.evaluation.datasets.persona_mme import ASPECTS

TARGET = Path(__file__).parents[2] / "persona_cli" / "evaluation" / "tiny"
World = dict[str, Any]


def write_all(target: Path) -> None:
    """Write every tiny set into a folder of its own."""
    world = tomllib.loads((Path(__file__).parent / "world.toml").read_text(encoding="utf-8"))
    for name, write in WRITERS.items():
        write(world, target / name)


def persona_mme(world: World, folder: Path) -> None:
    """Write Persona-MME: two users of the 32k context, one of the 128k one."""
    records = []
    for number, (person, bucket) in enumerate(zip(world["people"], ("50", "100", "200"), strict=True)):
        place = folder / "samples" / bucket / str(number)
        pictures: list[str] = []
        for session in person["sessions"]:
            for said in session["says"]:
                if "picture" in said:
                    name = f"{len(pictures)}.png"
                    draw(said["picture"], place / name)
                    pictures.append(f"./samples/{bucket}/{number}/{name}")
        sessions = [
            [{"time": f"{at:%Y-%m-%d %H:%M}", "user": said["user"], "assistant": said["reply"]} for at, said in talk]
            for talk in talks(person)
        ]
        user = {"profile": person["profile"], "persona": person["hidden"], "sessions": sessions, "imgs": pictures}
        dump(user, place / "user_data.json")
        path = f"./data/Persona-MME/samples/{bucket}/{number}/user_data.json"
        for at, question in enumerate(person["questions"]):
            options, right = turned(question["options"], at)
            record = {
                "data_path": path, "type": ASPECTS[question["task"]],
                # some names are published with a star
                "question_type": ("*" if at == 0 else "") + question["task"],
                "time": f"{asked_at(person):%Y-%m-%d %H:%M (%A)}", "query": question["text"],
                "choices": {f"({'abcd'[place]})": text for place, text in enumerate(options)},
                "answer": f"({right})",
            }  # fmt: skip
            if at < len(person["alignment"]):
                pair = person["alignment"][at]
                record["alignment"] = {"chosen": pair["chosen"], "rejected": pair["rejected"]}
            records.append(record)
    dump(records, folder / "Persona-MME.json")


def personamem(world: World, folder: Path) -> None:
    """Write PERSONAMEM v1: a context a person, questions asked at its end and one in its middle."""
    lines, rows = [], []
    for number, person in enumerate(world["people"]):
        context: list[dict[str, str]] = []
        ends = []
        for talk in talks(person):
            context.append({"role": "system", "content": f"Current user persona: {person['profile']}"})
            for _, said in talk:
                context.append({"role": "user", "content": f"User: {plain(said['user'])}"})
                context.append({"role": "assistant", "content": f"Assistant: {said['reply']}"})
            ends.append(len(context))
        lines.append({f"context-{number}": context})
        types = ("recall_user_shared_facts", "acknowledge_latest_preferences", "generalize_to_new_scenarios")
        for at, question in enumerate(person["questions"]):
            options, right = turned(question["options"], at + 1)
            # what was said first can be asked in the middle
            end = ends[1] if question["from"].startswith("0") else ends[-1]
            rows.append({
                "persona_id": number, "question_id": f"q{number}-{at}", "question_type": types[at % 3], "topic": "life",
                "user_question_or_message": question["text"], "correct_answer": f"({right})",
                "all_options": str([f"({'abcd'[place]}) {text}" for place, text in enumerate(options)]),
                "shared_context_id": f"context-{number}", "end_index_in_shared_context": end,
            })  # fmt: skip
    table(rows, folder / "questions_32k.csv")
    jsonl(lines, folder / "shared_contexts_32k.jsonl")


def personamem_two(world: World, folder: Path) -> None:
    """Write PersonaMem-v2: the preferences, each within a history of small talk."""
    rows = []
    for number, person in enumerate(world["people"]):
        mine = world["preferences"][number::3]
        history = [{"role": "system", "content": f"Persona: {person['hidden']}"}]
        for preference in mine:
            said = preference["choice"]
            history += [{"role": "user", "content": said[0]}, {"role": "assistant", "content": said[1]}]
            history += [{"role": "user", "content": said[2]}, {"role": "assistant", "content": said[3]}]
        link = f"data/chat_history_32k/history_{number}.json"
        dump({"metadata": {"persona_id": number}, "chat_history": history}, folder / link)
        for preference in mine:
            snippet = [{"role": "user", "content": preference["choice"][2]}]
            rows.append({
                "persona_id": number, "chat_history_32k_link": link, "chat_history_128k_link": link,
                "user_query": str({"role": "user", "content": preference["question"]}),
                "correct_answer": preference["options"][0], "incorrect_answers": json.dumps(preference["options"][1:]),
                "topic_query": preference["topic"], "preference": preference["preference"],
                "pref_type": ("stereotypical_pref", "anti_stereotypical_pref", "neutral_preferences")[number],
                "expanded_persona": person["hidden"], "related_conversation_snippet": json.dumps(snippet),
            })  # fmt: skip
    table(rows, folder / "benchmark" / "text" / "benchmark.csv")


def p_soups(world: World, folder: Path) -> None:
    """Write P-SOUPS: of six pairs, each of the first is asked with four others as the person's examples."""
    for soup in world["soups"]:
        records = []
        pairs = [dict(zip(("prompt", "chosen", "rejected"), pair, strict=True)) for pair in soup["pairs"]]
        for number in range(4):
            others = [pair for at, pair in enumerate(pairs) if at != number][:4]
            records.append({
                **pairs[number], "ground_truth_persona": soup["preference"], "profile": soup["profile"],
                "Pair-wise Comparative Feedback": others,
            })  # fmt: skip
        dump(records, folder / f"{soup['file']}.json")


def locomo(world: World, folder: Path) -> None:
    """Write LoCoMo: each person talks to a friend."""
    talked = []
    for number, person in enumerate(world["people"]):
        spoken: dict[str, Any] = {"speaker_a": person["name"], "speaker_b": "Kim"}
        ids = {}
        for session, talk in enumerate(talks(person)):
            at = talk[0][0]
            spoken[f"session_{session + 1}_date_time"] = f"{at:%-I:%M %p} on {at.day} {at:%B, %Y}".replace("PM", "pm")
            rows = spoken[f"session_{session + 1}"] = []
            for place, (_, said) in enumerate(talk):
                ids[f"{session}.{place}"] = f"D{session + 1}:{2 * place + 1}"
                row = {"speaker": person["name"], "dia_id": ids[f"{session}.{place}"], "text": plain(said["user"])}
                if "picture" in said:
                    row["blip_caption"] = f"a photo of a {said['picture']}"
                rows += [row, {"speaker": "Kim", "dia_id": f"D{session + 1}:{2 * place + 2}", "text": said["reply"]}]
        asked = [
            {"question": third(question["text"], person["name"]), "answer": question["options"][0],
             "evidence": [ids[question["from"]]], "category": 4 if at % 3 else 1}
            for at, question in enumerate(person["questions"])
        ]  # fmt: skip
        asked.append({"question": third(person["unknown"], person["name"]), "adversarial_answer": "?", "answer": "",
                      "evidence": [], "category": 5})  # fmt: skip
        talked.append({"sample_id": f"conv-{number}", "conversation": spoken, "qa": asked})
    dump(talked, folder / "locomo3.json")


def longmemeval(world: World, folder: Path) -> None:
    """Write LongMemEval S: four questions a person, one of them about what was never said."""
    entries = []
    kinds = ("single-session-user", "knowledge-update", "temporal-reasoning", "multi-session")
    for number, person in enumerate(world["people"]):
        for at, question in enumerate([*person["questions"][:8:2], None]):
            wanted = question["from"] if question else ""
            sessions = [
                [
                    row
                    for place, (_, said) in enumerate(talk)
                    for row in (
                        {"role": "user", "content": plain(said["user"]),
                         **({"has_answer": True} if f"{session}.{place}" == wanted else {})},
                        {"role": "assistant", "content": said["reply"]},
                    )
                ]
                for session, talk in enumerate(talks(person))
            ]  # fmt: skip
            entries.append({
                "question_id": f"tiny{number}{at}" + ("" if question else "_abs"),
                "question_type": kinds[at % 4],
                "question": question["text"] if question else person["unknown"],
                "answer": question["options"][0] if question else "This was never said.",
                "question_date": f"{asked_at(person):%Y/%m/%d (%a) %H:%M}",
                "haystack_dates": [f"{talk[0][0]:%Y/%m/%d (%a) %H:%M}" for talk in talks(person)],
                "haystack_session_ids": [f"s{number}-{session}" for session in range(len(sessions))],
                "haystack_sessions": sessions,
                "answer_session_ids": [f"s{number}-{wanted[0]}"] if wanted else [],
            })  # fmt: skip
    dump(entries, folder / "longmemeval_s_cleaned.json")


def prefeval(world: World, folder: Path) -> None:
    """Write PrefEval's three forms, its options, and talk that lies between."""
    topics: dict[str, list[Any]] = {}
    for preference in world["preferences"]:
        topics.setdefault(preference["topic"], []).append(preference)
    for topic, preferences in topics.items():
        base = [
            {"preference": p["preference"], "question": p["question"], "explanation": "It bears on the request."}
            for p in preferences
        ]
        names = ("query", "assistant_options", "user_selection", "assistant_acknowledgment")
        chosen = [
            {**row, "conversation": dict(zip(names, p["choice"], strict=True))}
            for row, p in zip(base, preferences, strict=True)
        ]
        told = [
            {**row, "persona": "somebody", "conversation": {
                "0": {"user": "I was thinking about my week.", "assistant": "Tell me."},
                "1": {"user": f"By the way, {p['preference'][0].lower()}{p['preference'][1:]}", "assistant": "I see."}}}
            for row, p in zip(base, preferences, strict=True)
        ]  # fmt: skip
        dump(base, folder / "explicit_preference" / f"{topic}.json")
        dump(chosen, folder / "implicit_preference" / "choice-based" / f"{topic}.json")
        dump(told, folder / "implicit_preference" / "persona-driven" / f"{topic}.json")
        options = [
            {**row, "classification_task_options": p["options"]} for row, p in zip(base, preferences, strict=True)
        ]
        dump(options, folder / "mcq_options" / f"{topic}.json")
    between = [
        {"conversation": [{"role": "user", "content": pair[0]}, {"role": "assistant", "content": pair[2]}]}
        for pair in world["soups"][0]["pairs"]
    ]
    dump(between, folder / "filtered_inter_turns.json")


def halumem(world: World, folder: Path) -> None:
    """Write HaluMem-Medium: points of every session, those that update, and those that only the assistant said."""
    users = []
    for number, person in enumerate(world["people"]):
        sessions = []
        for place, talk in enumerate(talks(person)):
            dialogue: list[dict[str, Any]] = []
            points: list[dict[str, Any]] = []
            for turn, (at, said) in enumerate(talk):
                stamp = f"{at:%b %d, %Y, %H:%M:%S}"
                for role, content in (("user", plain(said["user"])), ("assistant", said["reply"])):
                    dialogue.append({"role": role, "content": content, "timestamp": stamp, "dialogue_turn": turn})
                points.append(point(said["point"], len(points), stamp, was=said.get("was", "")))
                if "false" in said:
                    points.append(point(said["false"], len(points), stamp, source="interference"))
            asked = [
                {"question": third(q["text"], person["name"]), "answer": q["options"][0], "difficulty": "easy",
                 "question_type": "Basic Fact Recall",
                 "evidence": [{"memory_content": talk[int(q["from"][2:])][1]["point"], "memory_type": "Event Memory"}]}
                for q in person["questions"] if q["from"].startswith(f"{place}.")
            ]  # fmt: skip
            if place == len(person["sessions"]) - 1:
                asked.append({"question": third(person["unknown"], person["name"]), "answer": "It was never said.",
                              "difficulty": "easy", "question_type": "Memory Boundary", "evidence": []})  # fmt: skip
            sessions.append({
                "start_time": f"{talk[0][0]:%b %d, %Y, %H:%M:%S}", "end_time": f"{talk[-1][0]:%b %d, %Y, %H:%M:%S}",
                "dialogue_turn_num": len(talk), "dialogue": dialogue, "memory_points": points, "questions": asked,
            })  # fmt: skip
        users.append({"uuid": f"tiny-{number}", "persona_info": person["hidden"], "sessions": sessions})
    jsonl(users, folder / "HaluMem-Medium.jsonl")


def beam(world: World, folder: Path) -> None:
    """Write BEAM 100K: four abilities a conversation."""
    for number, person in enumerate(world["people"]):
        place = folder / "chats" / "100K" / str(number + 1)
        batches, ids, count = [], {}, 0
        for session, talk in enumerate(talks(person)):
            anchor, turns = f"{talk[0][0]:%B-%d-%Y}", []
            for at, (_, said) in enumerate(talk):
                ids[f"{session}.{at}"] = count
                turns.append([
                    {"role": "user", "id": count, "content": f"{plain(said['user'])} ->-> {session + 1},{at + 1}",
                     "time_anchor": anchor if at == 0 else None},
                    {"role": "assistant", "id": count + 1, "content": said["reply"], "time_anchor": None},
                ])  # fmt: skip
                count += 2
            batches.append({"batch_number": session + 1, "time_anchor": anchor, "turns": turns})
        dump(batches, place / "chat.json")
        chosen = {"information_extraction": person["questions"][:2], "knowledge_update": person["questions"][3:4],
                  "temporal_reasoning": person["questions"][4:5]}  # fmt: skip
        probing: dict[str, list[Any]] = {
            ability: [
                {"question": q["text"], "answer": q["options"][0], "difficulty": "easy",
                 "rubric": [f"LLM response should state: {q['options'][0]}"], "source_chat_ids": [ids[q["from"]]]}
                for q in questions
            ]
            for ability, questions in chosen.items()
        }  # fmt: skip
        probing["abstention"] = [
            {"question": person["unknown"], "ideal_response": "This was never said.", "difficulty": "easy",
             "rubric": ["LLM response should state: there is no information about this"]}
        ]  # fmt: skip
        dump(probing, place / "probing_questions" / "probing_questions.json")


WRITERS: dict[str, Callable[[World, Path], None]] = {
    "persona-mme": persona_mme,
    "personamem": personamem,
    "personamem-v2": personamem_two,
    "p-soups": p_soups,
    "locomo": locomo,
    "longmemeval": longmemeval,
    "prefeval": prefeval,
    "halumem": halumem,
    "beam": beam,
}


def talks(person: World) -> list[list[tuple[datetime, World]]]:
    """Return the sessions with a time for each exchange, three minutes apart."""
    return [
        [
            (datetime.fromisoformat(session["at"]) + timedelta(minutes=3 * place), said)
            for place, said in enumerate(session["says"])
        ]
        for session in person["sessions"]
    ]


def asked_at(person: World) -> datetime:
    """Return when the questions are asked: two days after the last exchange."""
    return talks(person)[-1][-1][0] + timedelta(days=2)


def turned(options: Sequence[str], by: int) -> tuple[list[str], str]:
    """Return the options turned, so that the right one is not always the first, and its letter."""
    by %= len(options)
    return [*options[-by:], *options[:-by]] if by else list(options), "abcd"[by]


def third(text: str, name: str) -> str:
    """Return a question of the person's as one about them, in plain words."""
    swaps = (
        (" I am ", f" {name} is "), ("am I ", f"is {name} "), ("Am I ", f"Is {name} "), (" do I ", f" does {name} "),
        (" did I ", f" did {name} "), ("should I ", f"should {name} "), ("would I ", f"would {name} "),
        ("must I ", f"must {name} "), (" I ", f" {name} "), (" my ", f" {name}'s "), (" me", f" {name}"),
    )  # fmt: skip
    for first, other in swaps:
        text = text.replace(first, other)
    return text


def point(content: str, index: int, stamp: str, *, was: str = "", source: str = "primary") -> dict[str, Any]:
    """Return a memory point of HaluMem."""
    return {
        "index": index, "memory_content": content, "memory_type": "Event Memory", "memory_source": source,
        "is_update": str(bool(was)), "original_memories": [was] if was else [], "importance": 0.75, "timestamp": stamp,
    }  # fmt: skip


def plain(text: str) -> str:
    """Return words without the place of a picture."""
    return text.replace("<img>", "").strip()


if __name__ == "__main__":
    write_all(Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET)
