"""What every open image is made of, the newest first, whatever else is open."""

from common import Gimp, describe, report

report(lambda: {"images": [{**describe(image), "images": 1} for image in Gimp.get_images()]})
