"""An error in the words of a log line or of an operator's terminal."""


def named(error: BaseException) -> str:
    """Its class and its text. aiokafka's errors, and some others, begin their text with the class already."""
    name, text = type(error).__name__, str(error)
    if not text:
        return name
    return text if text == name or text.startswith(f"{name}:") else f"{name}: {text}"
