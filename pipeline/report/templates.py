"""The templates of the pages."""

import jinja2


def template(name: str) -> jinja2.Template:
    """Return the template in the file of this name in this folder; it escapes all values.

    Its filters are `thousands` (1,234) and `percent` (of a share: 12.3 %).
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("pipeline.report", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["thousands"] = "{:,}".format
    environment.filters["percent"] = lambda share: f"{100 * share:.1f} %"
    return environment.get_template(name)
