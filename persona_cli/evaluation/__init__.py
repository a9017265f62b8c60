"""Benchmarks: published questions over long histories, put to persona and to what it is compared with.

    cases       what a data set is here: people with recorded histories, and the questions about them
    datasets/   one file per published data set; each reads a folder that the person has, and downloads nothing
    subjects/   what is tested: persona's own loop, and the baselines beside it, each with any model
    judging/    what a reply is worth: letters, words, a judge model, log-probabilities
    cost        what a run would take
    run         a plan, and how far it is; `person_run` is one person's part, `processes` works on several people
    run_files   the folder of a run, from which a stopped one goes on
    verdicts    the judging stage
    scores/     the tables, as Markdown, JSON and one HTML page

The command line imports this in its bodies; pydantic, NumPy and Jinja2 are at home here.
"""
