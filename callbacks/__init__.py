"""What the browser may ask: unpack, one service call, one layout call."""
