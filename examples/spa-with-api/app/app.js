document.getElementById("app").textContent = `This is ${location.pathname}`;
