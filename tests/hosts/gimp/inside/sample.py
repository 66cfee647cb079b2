def body():
    image = load(GIVEN["picture"])
    layer = image.get_layers()[0]
    image.select_ellipse(Gimp.ChannelOps.REPLACE, 60, 20, 130, 70)
    status, message, new = call(
        "plug-in-s2edit", image, [layer], source="a portrait of a woman with a hat",
        target="a portrait of a woman with a crown", object="hat", mask="selection",
    )
    return {
        "status": status,
        "message": message,
        "layers": [[layer.get_name(), list(layer.get_offsets())[1:], layer.get_width(), layer.get_height()] for layer in image.get_layers()],
        "returned": new.get_name() if hasattr(new, "get_name") else str(new),
    }


report(body)
