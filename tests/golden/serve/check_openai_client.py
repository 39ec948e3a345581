"""Asks a running `softcot serve` by the official client of PyPI: conversations and texts, whole and streamed, logprobs, errors, giving up.

    python3 -m venv /tmp/client && /tmp/client/bin/pip install openai
    /tmp/client/bin/python tests/golden/serve/check_openai_client.py        # in the project's folder; exit status 1 if anything is wrong

It starts a server of the embedded model with a key, and ends it.
"""

import asyncio
import re
import subprocess

import openai

KEY = "a-key-of-tests"
QUESTION = "Sam has 10 coins. Sam doubles them. How many coins does Sam have?"
MESSAGES = [{"role": "user", "content": QUESTION}]
GREEDY = {"model": "builtin", "temperature": 0}
PROMPT = "User: Sam has 10 coins."


def refused(kind, ask):
    try:
        ask()
    except kind as error:
        assert type(error) is kind, error
        return error
    raise AssertionError(f"no {kind.__name__}")


def conversations(client):
    whole = client.chat.completions.create(**GREEDY, messages=MESSAGES, logprobs=True, top_logprobs=2)
    [choice] = whole.choices
    assert choice.message.content.startswith("\\boxed{") and choice.finish_reason == "stop"
    assert choice.message.reasoning_content
    assert all(len(one.top_logprobs) == 2 and one.top_logprobs[0].logprob == one.logprob for one in choice.logprobs.content)
    content, reasoning, usage = "", "", None
    options = {"include_usage": True}
    for chunk in client.chat.completions.create(**GREEDY, messages=MESSAGES, stream=True, stream_options=options):
        for one in chunk.choices:
            content += one.delta.content or ""
            reasoning += getattr(one.delta, "reasoning_content", None) or ""
        usage = chunk.usage or usage
    assert (content, reasoning, usage) == (choice.message.content, choice.message.reasoning_content, whole.usage)
    with client.chat.completions.stream(**GREEDY, messages=MESSAGES) as stream:
        assert stream.get_final_completion().choices[0].message.content == content
    mixtures = client.chat.completions.create(**GREEDY, messages=MESSAGES, extra_body={"softcot": {"show_mixtures": True}})
    assert len(mixtures.choices[0].softcot["mixtures"]) == whole.usage.completion_tokens_details.reasoning_tokens


def texts(client):
    asked = {**GREEDY, "prompt": PROMPT, "max_tokens": 6}
    text = client.completions.create(**asked).choices[0].text
    echoed = client.completions.create(**asked, echo=True, logprobs=1).choices[0]
    assert echoed.text == PROMPT + text == "".join(echoed.logprobs.tokens)
    assert echoed.logprobs.token_logprobs[0] is None
    chunks = client.completions.create(**asked, stream=True)
    assert "".join(one.text for chunk in chunks for one in chunk.choices) == text
    several = client.completions.create(**{**asked, "temperature": 1}, n=3, seed=5).choices
    again = client.completions.create(**{**asked, "temperature": 1}, n=3, seed=5).choices
    assert [one.text for one in several] == [one.text for one in again]


def errors(client, url):
    format = {"type": "json_object"}
    bad = refused(openai.BadRequestError, lambda: client.chat.completions.create(**GREEDY, messages=MESSAGES, response_format=format))
    assert (bad.param, bad.code) == ("response_format", "unsupported_parameter")
    other = {"model": "gpt-4", "messages": MESSAGES}
    assert refused(openai.NotFoundError, lambda: client.chat.completions.create(**other)).code == "model_not_found"
    long = {"model": "builtin", "prompt": [1] * 250, "max_tokens": 200}
    assert refused(openai.BadRequestError, lambda: client.completions.create(**long)).code == "context_length_exceeded"
    stranger = openai.OpenAI(api_key="another", base_url=f"{url}/v1")
    assert refused(openai.AuthenticationError, lambda: stranger.models.list()).code == "invalid_api_key"


async def giving_up(url):
    async with openai.AsyncOpenAI(api_key=KEY, base_url=f"{url}/v1", max_retries=0) as client:
        many = {"model": "builtin", "prompt": PROMPT, "n": 128, "max_tokens": 200, "temperature": 100}
        try:
            await asyncio.wait_for(client.completions.create(**many), 0.5)
        except asyncio.TimeoutError:
            pass
        texts = await asyncio.gather(*(client.completions.create(**GREEDY, prompt=PROMPT, max_tokens=4) for _ in range(8)))
        assert len({one.choices[0].text for one in texts}) == 1


def main():
    command = ["./softcot", "serve", "--port", "0", "--cold", "--quiet", "--api-key", KEY]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            url = re.search(r"http:\S+", server.stdout.readline())[0]
            client = openai.OpenAI(api_key=KEY, base_url=f"{url}/v1", max_retries=0)
            assert [one.id for one in client.models.list()] == ["builtin"]
            conversations(client)
            texts(client)
            errors(client, url)
            asyncio.run(giving_up(url))
        finally:
            server.terminate()
        assert server.wait() == 0
    print(f"openai {openai.__version__}: all as it should be")


main()
