// Package xlsx reads a sheet of a workbook as rows of text.
//
// The library that reads workbooks takes what it gets: it unpacks parts of any size, takes a damaged end of a sheet for
// its end, and puts cells that are out of order where they do not belong. A price list that is cut short must not end
// the prices it no longer names. So every part is unpacked and read through once before the library sees the workbook:
// sizes, nesting, the order of rows and cells, and that the text is whole. What passes is read by the library row by
// row, from files in a folder of its own that goes when the reader is closed.
package xlsx
