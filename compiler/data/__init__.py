"""Images with classes: bundled digits, folders of files, what networks learn from and are judged by."""
