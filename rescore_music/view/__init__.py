"""What people look at: the piano roll, engraved pages, tables and the report page. Values in, SVG or HTML text out."""
