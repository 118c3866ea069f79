"""A report page as PDF, by WeasyPrint where it is installed (the extra `reports`); else there is the HTML alone."""

from collections.abc import Callable

from firmware.language import Text

MISSING: Text = (
    "no PDF: WeasyPrint is not installed (pip install 'fenghuo[reports]', Debian: libpango-1.0-0 fonts-wqy-microhei); "
    "the HTML prints the same from any browser",
    "未生成 PDF：未安装 WeasyPrint（pip install 'fenghuo[reports]'，Debian：libpango-1.0-0 fonts-wqy-microhei）；"
    "可用浏览器打印 HTML",
)


def printer() -> Callable[[str], bytes] | None:
    """Turns a page into a PDF; None where that is not installed. Nothing from elsewhere is fetched."""
    try:
        from PIL import ImageFile
        from weasyprint import HTML
        from weasyprint.urls import URLFetcher
    except (ImportError, OSError):  # OSError: the library is there, Pango is not
        return None
    ImageFile.LOAD_TRUNCATED_IMAGES = False  # WeasyPrint turns it on for the whole process: a torn picture is told
    fetcher = URLFetcher(allowed_protocols=("data",))

    def to_pdf(page: str) -> bytes:
        return bytes(HTML(string=page, url_fetcher=fetcher).write_pdf())

    return to_pdf
