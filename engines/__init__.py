"""What trains, and what it leaves behind: specs, events, runs, datasets, the engines and the worker.

The record half (`spec`, `events`, `event_line`, `event_tail`, `run_state`, `run_reader`, `runs`, `control`, `launch`,
`catalog`, `models`, `architecture`, `dataset_files`, `idx`, `keras_archive`, `digits`, `mirrors`, `problems`, `text`)
imports no framework and no numpy, and is what the screen may use.
"""
