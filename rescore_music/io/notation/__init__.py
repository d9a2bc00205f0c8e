"""From times to print: notated times, voices, note values, spelling, dynamics. MusicXML is written from these."""
