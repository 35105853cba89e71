// Package proof holds no code: its tests prove zhiban's promise on the real
// engines, across all its packages. Figures can be asked as of any past moment
// and rebuilt from the log, and parts make the whole.
package proof
