"""MusicXML, plain and compressed, on lxml: `read.read_musicxml`, `write.write_musicxml`."""
