"""What is kept of calls: a database of calls and events, and a folder of files for each call."""

from voicebot.records.folder import CallFolder
from voicebot.records.past_calls import CallRecord, CallRecords, EarlierCall
from voicebot.records.transcript import Transcript, Turn, transcribe
from voicebot.records.writer import RecordWriter, WriterHealth, WriterSettings

__all__ = [
    "CallFolder",
    "CallRecord",
    "CallRecords",
    "EarlierCall",
    "RecordWriter",
    "Transcript",
    "Turn",
    "WriterHealth",
    "WriterSettings",
    "transcribe",
]
