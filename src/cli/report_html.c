#include "cli/report.h"
bool report_html_possible(void)
{
    return false;
}
void report_html(Report *r, const ReportOptions *o, FILE *out)
{
    (void)r, (void)o, (void)out;
}
