"""OpenAI's interface by its own client: what is new in a history, whose memory it is, pictures."""

from __future__ import annotations

import base64
import io

import openai
import pytest
from PIL import Image

from persona_cli.records import Answer
from persona_cli.serve.client_jobs import client_frames, client_jobs, is_job, own_words
from persona_cli.serve.conversations import replaced_place
from tests.conftest import StillClock
from tests.serving.conftest import Running

pytestmark = pytest.mark.gguf


def picture(colour: str) -> str:
    encoded = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(encoded, "PNG")
    return f"data:image/png;base64,{base64.b64encode(encoded.getvalue()).decode()}"


def show(running: Running, url: str) -> None:
    running.client.chat.completions.create(
        model="persona",
        messages=[
            {
                "role": "user",
                "content": [{"type": "text", "text": "This is Max."}, {"type": "image_url", "image_url": {"url": url}}],
            }
        ],
    )


def test_models_are_the_people_of_this_home(running: Running) -> None:
    assert [model.id for model in running.client.models.list()] == ["persona", "persona-plain"]
    assert running.client.models.retrieve("persona").owned_by == "persona"
    with pytest.raises(openai.NotFoundError, match="persona-plain"):
        running.say("hello", model="gpt-9")
    with pytest.raises(openai.NotFoundError):
        running.say("hello", model="persona:nobody")


def test_an_answer_comes_whole_and_in_pieces(running: Running) -> None:
    assert running.say("I have a dog.") == "You said: I have a dog."
    stream = running.client.chat.completions.create(
        model="persona",
        messages=[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "His name is Max."}],
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    assert chunks[0].choices[0].delta.role == "assistant"
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == "You said: His name is Max."
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 6
    assert running.said() == ["I have a dog.", "His name is Max."]


def test_only_the_last_message_is_new(running: Running) -> None:
    first = running.say("I have a dog.", chat="a")
    running.say("I have a dog.", first, "His name is Max.", chat="a")
    assert running.said() == ["I have a dog.", "His name is Max."]
    running.say("I live in Oslo.", "Noted.", "I like tea.", chat="b")
    assert running.said() == ["I have a dog.", "His name is Max.", "I like tea."]


def test_another_answer_and_an_edit_take_the_place_of_the_turn_before(running: Running) -> None:
    first = running.say("I have a dog.", chat="a")
    second = running.say("I have a dog.", first, "My sister is Anna.", chat="a")
    running.learnt()
    # another answer
    running.model.enqueue("reason", Answer("Nice to meet Anna."))
    assert running.say("I have a dog.", first, "My sister is Anna.", chat="a") == "Nice to meet Anna."
    assert running.said() == ["I have a dog.", "My sister is Anna."]
    # an edit
    running.say("I have a dog.", first, "My sister is Hanna.", chat="a")
    assert running.said() == ["I have a dog.", "My sister is Hanna."]
    # going on
    running.say("I have a dog.", first, "My sister is Hanna.", second, "She is nice.", chat="a")
    assert running.said() == ["I have a dog.", "My sister is Hanna.", "She is nice."]


def test_of_what_no_message_may_be_as_long_as_only_the_last_is_refused(running: Running) -> None:
    endless = "My password is hunter2, and so on. " * 1_000
    with pytest.raises(openai.BadRequestError, match="characters"):
        running.say(endless)
    running.say(endless, "No.", "My password is hunter2.")
    running.say(endless, "No.", "My password is hunter2.", "No.", "I have a dog.")
    running.say(endless, "No.", "My password is hunter2.", "No.", "I have a cat.")
    assert running.said() == ["My password is [password removed].", "I have a cat."]


def test_the_same_words_again_later_in_a_conversation_are_new(running: Running) -> None:
    running.say("yes", chat="a")
    running.say("yes", "?", "yes", chat="a")
    running.say("yes", "?", "yes", "?", "yes", chat="a")
    assert running.said() == ["yes", "yes", "yes"]


@pytest.mark.parametrize(
    ("known", "said", "place"),
    [
        (["a"], ["a"], 0),
        (["a"], ["b"], 0),
        (["a"], ["a", "b"], None),
        (["a", "b"], ["a", "c"], 1),
        (["a", "b", "c"], ["a", "d"], 1),
        (["a", "b", "c"], ["b", "c"], 2),  # the client has cut its history
        (["a", "b", "c"], ["c", "d"], None),
        (["a", "b", "c"], ["d"], None),
        (["a", "b"], ["x", "y"], None),
        (["a", "a"], ["a", "a", "a"], None),
    ],
)
def test_a_turn_is_replaced_only_where_that_is_certain(known: list[str], said: list[str], place: int | None) -> None:
    assert replaced_place(known, said) == place


def test_a_message_sent_again_after_a_restart_is_known(running: Running, clock: StillClock) -> None:
    running.say("I have a dog.")
    assistant = running.household.assistant()
    clock.advance(minutes=1)
    said_by_terminal = list(assistant.respond("I have a cat."))
    assert said_by_terminal
    running.say("I have a cat.")
    assert running.said() == ["I have a dog.", "I have a cat."]


def test_what_a_client_wants_for_itself_is_never_remembered(running: Running) -> None:
    for job in client_jobs():
        assert is_job({}, job.example)
        running.say(job.example)
    reply = running.client.chat.completions.create(
        model="persona",
        messages=[{"role": "user", "content": "Give me five tags."}],
        extra_headers={"X-Task": "tags_generation"},
    )
    assert reply.choices[0].message.content == "To sum up: Give me five tags."
    assert not is_job({"x-task": "{{TASK}}"}, "I have a dog.")
    assert running.said() == []


def test_what_a_client_writes_in_front_of_the_words_is_not_the_persons(running: Running) -> None:
    for frame in client_frames():
        assert own_words(frame.example) == "Hello"
        assert own_words(f"What does {frame.begins} mean?") == f"What does {frame.begins} mean?"
        running.say(frame.example)
    assert running.said() == ["Hello"] * len(client_frames())


def test_the_plain_model_reads_and_writes_no_memory(running: Running) -> None:
    running.say("My sister is Anna.")
    assert running.say("I like tea.", "Good.", "Who am I?", model="persona-plain") == "To sum up: Who am I?"
    situation = running.model.called("answer")[-1][0]
    assert [turn.user for turn in situation.recent] == ["I like tea."]
    assert not situation.kept
    assert running.said() == ["My sister is Anna."]


def test_pictures_come_as_data_and_nothing_is_fetched(running: Running) -> None:
    show(running, picture("red"))
    (turn,) = running.store.turns.all()
    assert [(image.width, image.height) for image in turn.images] == [(64, 48)]
    # another answer to the same picture: it is still there
    show(running, picture("red"))
    (turn,) = running.store.turns.all()
    assert running.household.memory().media.path_of(turn.images[0]).exists()
    with pytest.raises(openai.BadRequestError, match="data URL"):
        show(running, "http://127.0.0.1:9/secret.png")
    with pytest.raises(openai.BadRequestError, match="picture"):
        show(running, "data:image/png;base64,aGVsbG8=")
    assert running.said() == ["This is Max."]
