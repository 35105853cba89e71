package export

import "zhiban/dashboard/report"

// CountyMonth writes a division's monthly return as a printable workbook.
func CountyMonth(m report.DivisionMonth) (File, error) { return File{}, errUnbuilt }
