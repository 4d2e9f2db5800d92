"""Arrays in, arrays out: colour, geometry, resampling, measuring, mattes, edges, composing and comparing."""
