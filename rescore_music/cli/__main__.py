"""`python -m rescore_music.cli` is `rescore-music`."""

from rescore_music.cli import main

main()
