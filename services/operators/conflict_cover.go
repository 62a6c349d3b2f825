package operators

// cover says when messages for every number of an area are taken by rules in it: any counts every rule, final only
// those that do not fall through.
type cover struct {
	any, final [len(messageTypeNames)]times
}

var everything = cover{any: [...]times{always, always, always}, final: [...]times{always, always, always}}

// record is the covers of one area: here with the rules for the area itself, below without.
type record struct {
	here, below cover
}

func (c *checker) either(a, b cover) cover {
	for i := range a.any {
		a.any[i], a.final[i] = c.calendar.either(a.any[i], b.any[i]), c.calendar.either(a.final[i], b.final[i])
	}
	return a
}

func (c *checker) both(a, b cover) cover {
	for i := range a.any {
		a.any[i], a.final[i] = c.calendar.both(a.any[i], b.any[i]), c.calendar.both(a.final[i], b.final[i])
	}
	return a
}

// before is the cover of an account's rules together with that of the global ones for the same prefix, which are not
// asked where the account's are, not even when those fall through.
func (c *checker) before(own, global cover) cover {
	for i := range own.any {
		own.final[i] = c.calendar.either(own.final[i], c.calendar.without(global.final[i], own.any[i]))
		own.any[i] = c.calendar.either(own.any[i], global.any[i])
	}
	return own
}

// taken is the cover of rules for one area.
func (c *checker) taken(rules []liveRule) (all cover) {
	for _, r := range rules {
		var one cover
		span := c.calendar.put([]span{r.span})
		for kind := range one.any {
			if r.types&(1<<kind) == 0 {
				continue
			}
			one.any[kind] = span
			if r.final {
				one.final[kind] = span
			}
		}
		all = c.either(all, one)
	}
	return all
}

// view is what callers of one account see: its own rules and the global ones. Callers without rules of their own see
// the global ones alone; own is nil then.
//
// The numbers of an area are taken to be longer than every prefix in it: no whole number is the beginning of another.
// So an area is covered when all ten areas of one digit more are.
type view struct {
	*checker
	own *scope
	// records holds the covers of every area around a rule of own. Other areas are as in the global view, where an
	// area without a record is not covered at all.
	records map[area]record
}

// foldGlobal works out the covers of q, whose rules are those of the areas from lo to hi in the global scope.
func (c *checker) foldGlobal(q area, lo, hi int) cover {
	nest := c.global.nest
	var own, below cover
	if lo < hi && nest.areas[lo] == q {
		own = c.taken(c.global.at(lo))
		lo++
	}
	children := 0
	shared := everything
	for lo < hi {
		child := nest.areas[lo].cut(q.length() + 1)
		to := lo + 1
		for to < hi && child.holds(nest.areas[to]) {
			to++
		}
		// With one area of one digit more and nothing beside it, nothing in between can be covered.
		inner := common(nest.areas[lo], nest.areas[to-1])
		one := c.foldGlobal(inner, lo, to)
		if inner != child {
			one = cover{}
		}
		shared = c.both(shared, one)
		children++
		lo = to
	}
	if children == 10 {
		below = shared
	}
	here := c.either(own, below)
	if here != (cover{}) {
		c.records[q] = record{here: here, below: below}
	}
	return here
}

// foldOwn works out the covers of q, whose own rules are those of the areas from lo to hi.
func (v *view) foldOwn(q area, lo, hi int) cover {
	nest := v.own.nest
	own := v.globalAt(q)
	if lo < hi && nest.areas[lo] == q {
		own = v.before(v.taken(v.own.at(lo)), own)
		lo++
	}
	shared := everything
	var done [10]bool
	for lo < hi {
		child := nest.areas[lo].cut(q.length() + 1)
		to := lo + 1
		for to < hi && child.holds(nest.areas[to]) {
			to++
		}
		shared = v.both(shared, v.foldOwn(child, lo, to))
		done[child.low()/sizes[child.length()]%10] = true
		lo = to
	}
	var below cover
	if q.length() < len(sizes)-1 {
		for digit := range done {
			if shared == (cover{}) {
				break
			}
			if !done[digit] {
				shared = v.both(shared, v.checker.records[q.child(digit)].here)
			}
		}
		below = shared
	}
	here := v.either(own, below)
	v.records[q] = record{here: here, below: below}
	return here
}

func (c *checker) globalAt(q area) cover {
	if i := c.global.nest.index(q); i >= 0 {
		return c.taken(c.global.at(i))
	}
	return cover{}
}

// covers gives the record of an area.
func (v *view) covers(q area) record {
	if r, ok := v.records[q]; ok {
		return r
	}
	return v.checker.records[q]
}

// vacant reports whether no rule of the view stands inside q, where q itself does not count.
func (v *view) vacant(q area) bool {
	_, global := v.global.nest.nearest(q)
	if v.own == nil || !global {
		return global
	}
	_, own := v.own.nest.nearest(q)
	return own
}

// around calls visit with the rules of each area that holds q, from the smallest to the largest and own rules before
// global ones, until it gives false.
func (v *view) around(q area, visit func(at area, rules []liveRule) bool) {
	g, _ := v.global.nest.nearest(q)
	o := -1
	if v.own != nil {
		o, _ = v.own.nest.nearest(q)
	}
	for g >= 0 || o >= 0 {
		if o >= 0 && (g < 0 || v.own.nest.areas[o].length() >= v.global.nest.areas[g].length()) {
			if !visit(v.own.nest.areas[o], v.own.at(o)) {
				return
			}
			o = int(v.own.nest.up[o])
			continue
		}
		if !visit(v.global.nest.areas[g], v.global.at(g)) {
			return
		}
		g = int(v.global.nest.up[g])
	}
}
