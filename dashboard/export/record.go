package export

import (
	"errors"

	"zhiban/dashboard/report"
)

var errUnbuilt = errors.New("being built")

// LawyerRecord writes a lawyer's year as a workbook.
func LawyerRecord(y report.LawyerYear) (File, error) { return File{}, errUnbuilt }
