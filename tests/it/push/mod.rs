//! Real pushes through the installed hook.
mod verdicts;
