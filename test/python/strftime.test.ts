import { expect, test } from "vitest";
import { strftime } from "../../src/python/strftime.ts";

// Answers of datetime(2024, 2, 5, 3, 7, 9).strftime and datetime(2023, 12, 31, 12, 30).strftime, CPython on Linux.
test.each([
  ["%d %B %Y", "05 February 2024", "31 December 2023"],
  ["%Y-%m-%d %H:%M:%S", "2024-02-05 03:07:09", "2023-12-31 12:30:00"],
  ["%-d/%-m/%y %I:%M %p", "5/2/24 03:07 AM", "31/12/23 12:30 PM"],
  ["%a %b %e|%A|%j|%U|%W|%w|%u", "Mon Feb  5|Monday|036|05|06|1|1", "Sun Dec 31|Sunday|365|53|52|0|7"],
  [
    "%F %T %D %R|%c|100%%|%z%Z",
    "2024-02-05 03:07:09 02/05/24 03:07|Mon Feb  5 03:07:09 2024|100%|",
    "2023-12-31 12:30:00 12/31/23 12:30|Sun Dec 31 12:30:00 2023|100%|",
  ],
])("%s", (format, first, second) => {
  expect(strftime(new Date(2024, 1, 5, 3, 7, 9), format)).toBe(first);
  expect(strftime(new Date(2023, 11, 31, 12, 30), format)).toBe(second);
});
