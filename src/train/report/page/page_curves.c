/* Curves, with what switches them. */
#include "page.h"

static void write_legend(const trm_page *page) {
  const trm_study *s = page->study;
  (void)fprintf(page->file, "<div class=\"bar\">");
  for (int g = 0; g < s->n_groups && s->n_groups > 1; ++g) {
    (void)fprintf(page->file, "<button data-hide=\"%d\"><span class=\"key c%d\"></span>", g,
                  trm_colour_slot(g));
    trm_report_text(page->file, s->groups[g].label);
    (void)fprintf(page->file, "</button>");
  }
  (void)fprintf(page->file,
                "</div>\n<div class=\"bar controls hidden\"><label>smooth <input type=\"range\" "
                "id=\"smooth\" min=\"0\" max=\"0.98\" step=\"0.02\" value=\"0\"></label></div>\n");
}

static void write_explanation(const trm_page *page) {
  const trm_study *s = page->study;
  bool bands = false;
  for (int g = 0; g < s->n_groups; ++g) bands = bands || s->groups[g].n > 1;
  (void)fprintf(
      page->file, "<p class=\"soft\">%s%s</p>\n",
      bands ? "A band is the mean of the runs of a configuration and one standard deviation "
              "to both sides. "
            : "",
      s->n_groups > 1 ? "Validation is drawn in full, training pale, test dashed. A name "
                        "hides or shows its lines."
                      : "");
}

/* In a report of one configuration the lines of a chart have names of their own. */
static void write_names(const trm_page *page, const trm_chart *chart) {
  if (page->study->n_groups > 1 || chart->n_lines < 2) return;
  for (int l = 0; l < chart->n_lines; ++l) {
    (void)fprintf(page->file, "<button data-hide=\"%d\"><span class=\"key c%d\"></span>",
                  chart->lines[l].colour, trm_colour_slot(chart->lines[l].colour));
    trm_report_text(page->file, chart->lines[l].name);
    (void)fprintf(page->file, "</button>");
  }
}

void trm_page_curves(const trm_page *page) {
  trm_page_heading(page, "Curves");
  if (page->charts->n == 0) {
    (void)fprintf(page->file, "<p>There are no numbers yet.</p>\n");
    return;
  }
  write_explanation(page);
  write_legend(page);
  (void)fprintf(page->file, "<div class=\"charts\">\n");
  for (int i = 0; i < page->charts->n; ++i) {
    const trm_chart *chart = &page->charts->charts[i];
    (void)fprintf(page->file, "<figure id=\"chart-");
    trm_report_text(page->file, chart->name);
    (void)fprintf(page->file, "\"><figcaption>");
    trm_report_text(page->file, chart->title);
    write_names(page, chart);
    (void)fprintf(page->file, "</figcaption>");
    trm_chart_svg(chart, TRM_SVG_IN_PAGE, page->file);
    (void)fprintf(page->file, "</figure>\n");
  }
  (void)fprintf(page->file, "</div>\n");
}
