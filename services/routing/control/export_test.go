package control

import "time"

// Limit sets the bounds of a snapshot.
func (c *Client) Limit(stall time.Duration, rows int) { c.stall, c.rows = stall, rows }
